#include "shoal/flow/name_clusters.h"

#include <algorithm>
#include <utility>

#include "shoal/classify/centroid_features.h"
#include "shoal/cluster/linkage/group_centers.h"
#include "shoal/core/chunks.h"
#include "shoal/explain/ctfidf.h"
#include "shoal/explain/medoids.h"

namespace shoal {
namespace {

constexpr Index kBatch = 16384;  // texts in memory at once
constexpr Index kMedoids = 5;    // typical texts a cluster
constexpr Index kMostJoined =
    4000;  // clusters that are joined into groups: that takes memory in their square

std::vector<Index> sizes_of(const Labels& labels) {
  std::vector<Index> sizes(labels.count);
  for (Label label : labels.of)
    if (label != kNoise) ++sizes[static_cast<Index>(label)];
  return sizes;
}

}  // namespace

DescribedClusters describe_clusters(const Collection& collection, const Rows& vectors, const Labels& labels,
                                    const Matrix& centers, const Run& run, Metric metric) {
  const std::vector<Index> sizes = sizes_of(labels);
  const Labels joined = labels.count > kMostJoined
                            ? Labels{std::vector<Label>(labels.count), 1}
                            : group_centers(centers, sizes, default_groups(labels.count));

  Ctfidf counted(labels.count);
  for (Index first = 0; first < labels.of.size(); first += kBatch) {
    const Texts texts = collection.texts(first, std::min(kBatch, labels.of.size() - first));
    counted.add(texts, labels.of.data() + first, run);
    if (run.progress)
      run.progress("explain", static_cast<double>(first + texts.size()),
                   static_cast<double>(labels.of.size()));
  }

  const auto words = counted.top_words(), words_of_groups = counted.top_words(joined);
  const auto typical = medoids(vectors, labels, centers, kMedoids, run, metric);
  std::vector<ClusterRecord> clusters(labels.count);
  for (Index c = 0; c < labels.count; ++c) {
    clusters[c] = {.id = static_cast<Label>(c),
                   .name = cluster_name(words[c]),
                   .size = sizes[c],
                   .group = joined.of[c],
                   .medoids = typical[c]};
    for (const TopWord& word : words[c]) clusters[c].words.push_back(word.word);
    if (clusters[c].name.empty()) clusters[c].name = "cluster " + std::to_string(c);
  }
  std::vector<Index> group_sizes(joined.count);
  for (Index c = 0; c < labels.count; ++c) group_sizes[static_cast<Index>(joined.of[c])] += sizes[c];
  std::vector<GroupRecord> groups(joined.count);
  for (Index g = 0; g < joined.count; ++g) {
    groups[g] = {
        .id = static_cast<Label>(g), .name = cluster_name(words_of_groups[g]), .size = group_sizes[g]};
    if (groups[g].name.empty()) groups[g].name = "group " + std::to_string(g);
  }
  return {std::move(clusters), std::move(groups)};
}

void name_clusters(Collection& collection, const Rows& vectors, Metric metric, const Run& run) {
  const Labels labels = collection.labels();
  if (labels.count == 0) return collection.set_clusters({}, {});
  const auto centroids = CentroidFeatures::fit(vectors, labels, {metric}, run);
  const DescribedClusters found =
      describe_clusters(collection, vectors, labels, centroids.centroids(), run, metric);
  collection.set_clusters(found.clusters, found.groups);
}

}  // namespace shoal
