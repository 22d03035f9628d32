#include "shoal/flow/names/features.h"

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "shoal/classify/centroid_features.h"
#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/flow/find_clusters.h"
#include "shoal/flow/names/explain.h"
#include "shoal/flow/tables/csv_field.h"
#include "shoal/store/vectors/rows_file.h"

namespace shoal {

namespace {

/// One column a cluster, filled by fill(row, its columns).
template <class Fill>
BlockReader each_row(Index n_clusters, Fill fill) {
  return [n_clusters, fill](Index first, Index count, Matrix& scratch) {
    scratch = Matrix(count, n_clusters);
    for (Index i = 0; i < count; ++i) fill(first + i, scratch[i]);
    return std::as_const(scratch).view();
  };
}

BlockReader one_hot(std::shared_ptr<const Labels> labels) {
  return each_row(labels->count, [labels](Index row, std::span<float> out) {
    if (const Label label = labels->of[row]; label != kNoise) out[static_cast<Index>(label)] = 1;
  });
}

BlockReader distances(const Collection& collection, const Labels& labels, const Run& run) {
  const Rows x = open_rows(collection.file("reduced.safetensors"));
  const auto centroids = std::make_shared<const CentroidFeatures>(CentroidFeatures::fit(
      x, labels, {saved_method(collection.file("clusters.safetensors")).metric()}, run));
  return [centroids, x, run](Index first, Index count, Matrix& scratch) {
    Matrix block;
    scratch = centroids->transform(Rows(x.block(first, count, block), x.space()), run);
    return std::as_const(scratch).view();
  };
}

BlockReader membership(const Collection& collection, std::shared_ptr<const Labels> labels, const Run& run) {
  const auto fitted =
      std::make_shared<const AnyClusterer>(load_clusterer(collection.file("clusters.safetensors")));
  if (const auto* dense = std::get_if<Hdbscan>(fitted.get()))
    return each_row(labels->count, [fitted, dense, labels](Index row, std::span<float> out) {
      const Label label = labels->of[row];
      if (label != kNoise) out[static_cast<Index>(label)] = static_cast<float>(dense->probabilities()[row]);
    });
  const auto* mixture = std::get_if<VmfMixture>(fitted.get());
  require(mixture != nullptr, Fault::argument,
          option_name("features") + " is membership, but the clusters of " + collection.folder().string() +
              " are hard; 'shoal map' with " + option_name("method") +
              " vmf_mixture (how probable each cluster is) or hdbscan "
              "(how firmly a row lies in its own) makes soft ones");
  const Rows x = open_rows(collection.file("reduced.safetensors"));
  // Of each cluster; its number may be one that was kept from another map.
  std::vector<Label> component(labels->count);
  for (Index row = 0; row < labels->of.size(); ++row)
    if (labels->of[row] != kNoise) component[static_cast<Index>(labels->of[row])] = mixture->labels().of[row];
  return [fitted, mixture, x, component, run](Index first, Index count, Matrix& scratch) {
    Matrix block;
    const Matrix of = mixture->memberships(Rows(x.block(first, count, block), x.space()), run);
    scratch = Matrix(count, component.size());
    for (Index i = 0; i < count; ++i)
      for (Index c = 0; c < component.size(); ++c) scratch[i][c] = of[i][static_cast<Index>(component[c])];
    return std::as_const(scratch).view();
  };
}

}  // namespace

Rows cluster_features(const Collection& collection, FeatureKind kind, const Run& run) {
  const Index n_clusters = finished_clusters(collection).size();
  const auto labels = std::make_shared<const Labels>(collection.labels());
  const Run quiet = run.quiet();
  const BlockReader reader = kind == FeatureKind::one_hot     ? one_hot(labels)
                             : kind == FeatureKind::distances ? distances(collection, *labels, quiet)
                                                              : membership(collection, labels, quiet);
  return Rows(labels->of.size(), n_clusters, Dtype::f32, reader, {});
}

void export_features(const Rows& features, const Sink& sink, const Run& run) {
  constexpr Index kBatch = 4096;  // rows in memory at once
  std::string out = "row";
  for (Index c = 0; c < features.cols(); ++c) out += ",cluster_" + std::to_string(c);
  sink(out + '\n');
  Matrix scratch;
  for (Index first = 0; first < features.rows(); first += kBatch) {
    check_stop(run);
    const MatrixView block = features.block(first, std::min(kBatch, features.rows() - first), scratch);
    out.clear();
    for (Index i = 0; i < block.rows; ++i) {
      out += std::to_string(first + i);
      for (float x : block[i]) out += ',' + csv_number(x);
      out += '\n';
    }
    sink(out);
    if (run.progress)
      run.progress("export", static_cast<double>(first + block.rows), static_cast<double>(features.rows()));
  }
}

}  // namespace shoal
