#include <algorithm>
#include <cmath>

#include "shoal/cluster/kmeans/spherical_kmeans.h"
#include "shoal/core/error.h"
#include "shoal/flow/watch/cluster_words_impl.h"
#include "shoal/flow/watch/drift_rows_impl.h"
#include "shoal/store/collection/collection.h"

namespace shoal {
namespace {

constexpr Index kRowsACluster = 50, kMostClusters = 20;
constexpr Index kExamples = 3;
constexpr std::size_t kExampleBytes = 200;

/// Whether the collection's own clusters are those that are watched.
bool has_own(const DriftReportOptions& options) {
  return !options.new_input && !options.n_clusters && options.given.empty() &&
         Collection::exists(options.old_input);
}

}  // namespace

Labels drift_clusters(const Joined& rows, const DriftReportOptions& options, const Run& run,
                      DriftReport& report) {
  const bool wanted = std::ranges::any_of(
      options.drift.tests, [](DriftTest t) { return t == DriftTest::g_test || t == DriftTest::kl_clusters; });
  if (!wanted) return {};
  if (has_own(options)) {
    const Collection collection = Collection::open(options.old_input, true);
    if (collection.result(kMainClustering)) {
      Labels labels = collection.labels_so_far(kMainClustering);
      if (labels.count >= 2) return labels;
    }
  }
  SphericalKMeansOptions k;
  k.n_clusters =
      options.n_clusters.value_or(std::clamp<Index>(rows.vectors.rows() / kRowsACluster, 2, kMostClusters));
  k.n_init = 1;
  k.seed = options.drift.seed.child(10);
  try {
    return SphericalKMeans::fit(rows.vectors, k, run.quiet()).labels();
  } catch (const Error& e) {
    if (e.fault != Fault::data || options.n_clusters) throw;
    report.notes.push_back("too few different rows for clusters: the tests of clusters are left out");
    return {};
  }
}

std::vector<std::string> names_of_drift_clusters(const Labels& labels, const Joined& rows,
                                                 const DriftReportOptions& options, const Run& run) {
  std::vector<std::string> out;
  if (has_own(options)) {
    const Collection collection = Collection::open(options.old_input, true);
    for (const auto& cluster : collection.clusters()) out.push_back(cluster.name);
    if (out.size() == labels.count) return out;
  }
  return words_of_clusters(labels, rows.texts, "cluster", run);
}

/// The texts of some rows that lie nearest to the rows' mean, no two alike.
std::vector<std::string> typical_texts(const Joined& rows, const std::vector<Index>& of) {
  std::vector<std::string> out;
  if (rows.texts.size() == 0 || of.empty()) return out;
  Matrix scratch;
  std::vector<double> mean(rows.vectors.cols());
  for (const Index i : of) {
    const auto row = rows.vectors.block(i, 1, scratch)[0];
    for (Index j = 0; j < mean.size(); ++j) mean[j] += static_cast<double>(row[j]);
  }
  std::vector<std::pair<double, Index>> near;
  for (const Index i : of) {
    const auto row = rows.vectors.block(i, 1, scratch)[0];
    double product = 0, length = 0;
    for (Index j = 0; j < mean.size(); ++j) {
      product += mean[j] * static_cast<double>(row[j]);
      length += static_cast<double>(row[j]) * static_cast<double>(row[j]);
    }
    near.emplace_back(length > 0 ? -product / std::sqrt(length) : 0, i);
  }
  std::ranges::sort(near);
  for (const auto& [closeness, i] : near) {
    std::string text(rows.texts[i].substr(0, kExampleBytes));
    if (std::ranges::find(out, text) == out.end()) out.push_back(std::move(text));
    if (out.size() == kExamples) break;
  }
  return out;
}

}  // namespace shoal
