#include "shoal/flow/features.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "shoal/cluster/spherical_kmeans.h"
#include "shoal/core/chunks.h"
#include "shoal/flow/csv_field.h"
#include "shoal/flow/explain.h"
#include "shoal/store/archive.h"
#include "shoal/store/rows_file.h"

namespace shoal {

Rows cluster_features(const Collection& collection, FeatureKind kind, const Run& run) {
  const Index n_clusters = finished_clusters(collection).size();
  if (kind == FeatureKind::distances) {
    const auto fitted = std::make_shared<const SphericalKMeans>(
        SphericalKMeans::load(Reader(collection.file("clusters.safetensors"))));
    const Rows x = open_rows(collection.file("reduced.safetensors"));
    const Run quiet{.threads = run.threads, .stop = run.stop, .progress = {}};
    const auto distances = [fitted, x, quiet](Index first, Index count, Matrix& scratch) {
      Matrix block;
      scratch = fitted->transform(Rows(x.block(first, count, block), x.space()), quiet);
      return std::as_const(scratch).view();
    };
    return Rows(x.rows(), n_clusters, Dtype::f32, distances, {});
  }
  const auto labels = std::make_shared<const Labels>(collection.labels());
  const auto one_hot = [labels](Index first, Index count, Matrix& scratch) {
    scratch = Matrix(count, labels->count);
    for (Index i = 0; i < count; ++i)
      if (const Label label = labels->of[first + i]; label != kNoise)
        scratch[i][static_cast<Index>(label)] = 1;
    return std::as_const(scratch).view();
  };
  return Rows(labels->of.size(), n_clusters, Dtype::f32, one_hot, {});
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
