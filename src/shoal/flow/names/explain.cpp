#include "shoal/flow/names/explain.h"

#include <algorithm>
#include <utility>

#include "shoal/classify/centroid_features.h"
#include "shoal/core/error.h"
#include "shoal/flow/find_clusters.h"
#include "shoal/flow/names/name_clusters.h"
#include "shoal/flow/names/own_names.h"
#include "shoal/store/vectors/rows_file.h"

namespace shoal {
namespace {

void count_anew(const Collection& collection, const ExplainOptions& options, const Run& run,
                std::vector<ClusterExplanation>& out) {
  const Labels labels = collection.labels();
  const Ctfidf counted = count_words(collection, labels, *options.words, run);
  const auto words = counted.top_words(), phrases = counted.top_phrases(options.n_phrases);
  const auto own = clusters_with_own_names(collection);
  for (Index c = 0; c < out.size(); ++c) {
    const std::string name = cluster_name(words[c]);
    if (!std::ranges::binary_search(own, static_cast<Label>(c)))
      out[c].row.name = name.empty() ? "cluster " + std::to_string(c) : name;
    out[c].row.words.clear();
    for (const TopWord& word : words[c]) out[c].row.words.push_back(word.word);
    for (const TopWord& phrase : phrases[c]) out[c].phrases.push_back(phrase.word);
  }
  const auto groups = collection.groups();
  Labels group_of{.count = groups.size()};
  for (const ClusterExplanation& cluster : out) group_of.of.push_back(cluster.row.group);
  const auto words_of_groups = counted.top_words(group_of);
  for (ClusterExplanation& cluster : out)
    if (const auto name = cluster_name(words_of_groups[static_cast<Index>(cluster.row.group)]); !name.empty())
      cluster.group = name;
}

void choose_texts_anew(const Collection& collection, const ExemplarOptions& options, const Run& run,
                       std::vector<ClusterExplanation>& out) {
  const Rows reduced = open_rows(collection.file("reduced.safetensors"));
  const Labels labels = collection.labels();
  const auto centroids = CentroidFeatures::fit(
      reduced, labels, {saved_method(collection.file("clusters.safetensors")).metric()}, run);
  const auto rows = exemplars(reduced, labels, centroids.centroids(), options, run);
  for (Index c = 0; c < out.size(); ++c) out[c].row.medoids = rows[c];
}

}  // namespace

bool found_none(const Collection& collection) {
  try {
    return collection.labels().count == 0;
  } catch (const Error& e) {
    if (e.fault != Fault::data) throw;
    return false;  // some row has not been looked at
  }
}

std::vector<ClusterRecord> finished_clusters(const Collection& collection) {
  auto clusters = collection.clusters();
  const std::string name = collection.folder().string();
  if (clusters.empty() && found_none(collection))
    throw Error(Fault::data, name + " has no clusters: the method left every row in none; 'shoal map " +
                                 name + "' with other options finds others");
  if (clusters.empty())
    throw Error(Fault::data, name + " has no clusters yet; run 'shoal map' on it to the end");
  return clusters;
}

std::vector<ClusterExplanation> explain_clusters(const Collection& collection, const ExplainOptions& options,
                                                 const Run& run) {
  require(options.n_phrases == 0 || options.words, Fault::argument,
          "phrases are found where words are counted");
  std::vector<ClusterExplanation> out;
  const auto groups = collection.groups();
  for (ClusterRecord& row : finished_clusters(collection)) {
    std::string group = groups[static_cast<Index>(row.group)].name;
    out.push_back({.row = std::move(row), .group = std::move(group)});
  }
  if (options.words) count_anew(collection, options, run, out);
  if (options.exemplars) choose_texts_anew(collection, *options.exemplars, run, out);
  for (ClusterExplanation& cluster : out)
    for (Index row : cluster.row.medoids) cluster.texts.push_back(collection.text(row));
  return out;
}

}  // namespace shoal
