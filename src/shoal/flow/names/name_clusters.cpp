#include "shoal/flow/names/name_clusters.h"

#include <algorithm>
#include <utility>

#include "shoal/classify/centroid_features.h"
#include "shoal/cluster/linkage/group_centers.h"
#include "shoal/core/chunks.h"
#include "shoal/explain/medoids.h"
#include "shoal/flow/neutral/neutral.h"

namespace shoal {
namespace {

constexpr Index kBatch = 16384;  // texts in memory at once
constexpr Index kMedoids = 5;    // typical texts a cluster
constexpr Index kMostJoined =
    4000;  // clusters that are joined into groups: that takes memory in their square

/// A name for each, from its words; `kind` and its number where there are no words.
template <class Record>
void give_names(std::vector<Record>& records, const std::vector<std::vector<TopWord>>& words,
                const char* kind) {
  for (Index i = 0; i < records.size(); ++i) {
    records[i].name = cluster_name(words[i]);
    if (records[i].name.empty()) records[i].name = kind + std::to_string(i);
  }
}

}  // namespace

Ctfidf count_words(const Collection& collection, const Labels& labels, const CtfidfOptions& options,
                   const Run& run) {
  std::vector<LanguageCount> languages;
  if (options.language == "auto") languages = languages_in(collection, run);
  Ctfidf counted(labels.count, options, std::move(languages));
  for (Index first = 0; first < labels.of.size(); first += kBatch) {
    check_stop(run);
    const Texts texts = collection.texts(first, std::min(kBatch, labels.of.size() - first));
    counted.add(texts, labels.of.data() + first, run);
    if (run.progress)
      run.progress("explain", static_cast<double>(first + texts.size()),
                   static_cast<double>(labels.of.size()));
  }
  return counted;
}

DescribedClusters describe_clusters(const Collection* collection, const Rows& vectors, const Labels& labels,
                                    const Matrix& centers, const Run& run, Metric metric,
                                    const CtfidfOptions& options) {
  const std::vector<Index> sizes = label_sizes(labels);
  const auto typical = medoids(vectors, labels, centers, kMedoids, run, metric);
  DescribedClusters out;
  for (Index c = 0; c < labels.count; ++c)
    out.clusters.push_back({.id = static_cast<Label>(c), .size = sizes[c], .medoids = typical[c]});
  if (collection == nullptr) return out;

  const Labels joined = labels.count > kMostJoined
                            ? Labels{std::vector<Label>(labels.count), 1}
                            : group_centers(centers, sizes, default_groups(labels.count));
  for (Index g = 0; g < joined.count; ++g) out.groups.push_back({.id = static_cast<Label>(g)});
  for (Index c = 0; c < labels.count; ++c) {
    out.clusters[c].group = joined.of[c];
    out.groups[static_cast<Index>(joined.of[c])].size += sizes[c];
  }
  const Ctfidf counted = count_words(*collection, labels, options, run);
  const auto words = counted.top_words();
  for (Index c = 0; c < labels.count; ++c)
    for (const TopWord& word : words[c]) out.clusters[c].words.push_back(word.word);
  give_names(out.clusters, words, "cluster ");
  give_names(out.groups, counted.top_words(joined), "group ");
  return out;
}

void name_clusters(Collection& collection, const Rows& vectors, Metric metric, const CtfidfOptions& words,
                   const Run& run) {
  const Labels labels = collection.labels();
  if (labels.count == 0) return collection.set_clusters({}, {});
  const auto centroids = CentroidFeatures::fit(vectors, labels, {metric}, run);
  const DescribedClusters found =
      describe_clusters(&collection, vectors, labels, centroids.centroids(), run, metric, words);
  collection.set_clusters(found.clusters, found.groups);
}

}  // namespace shoal
