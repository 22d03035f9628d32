#include "shoal/flow/mapping/clusters_before.h"

#include <algorithm>
#include <utility>

#include "shoal/core/chunks.h"

namespace shoal {
namespace {

constexpr Index kBatch = 8192;
constexpr Index kNone = ~Index{0};
/// For which run of the step the clusters before are: its key, or kGiven until it is run.
constexpr const char *kBeforeFor = "clusters_before_for", *kGiven = "next";

template <class Use>
void each_text(const Collection& collection, const Run& run, const Use& use) {
  const Index rows = collection.rows();
  for (Index first = 0; first < rows; first += kBatch) {
    check_stop(run);
    const Texts texts = collection.texts(first, std::min(kBatch, rows - first));
    for (Index i = 0; i < texts.size(); ++i) use(first + i, texts[i]);
  }
}

/// Sizes are of the rows that are there now.
void store(Collection& collection, const Labels& labels, std::vector<ClusterRecord> clusters,
           const std::string& mark) {
  const std::vector<Index> sizes = label_sizes(labels);
  clusters.resize(labels.count);
  Index all = 0;
  for (Index c = 0; c < clusters.size(); ++c) {
    ClusterRecord& cluster = clusters[c];
    cluster = {.id = static_cast<Label>(c),
               .name = cluster.name,
               .words = std::move(cluster.words),
               .size = sizes[c],
               .group = 0,
               .medoids = {}};
    all += sizes[c];
  }
  collection.together([&] {
    collection.set_labels(labels, {.name = kClustersBefore, .stage = "map"});
    if (!clusters.empty())
      collection.set_clusters(clusters, {{.id = 0, .name = "before", .size = all}}, kClustersBefore);
    collection.set_manifest(kBeforeFor, mark);
  });
}

}  // namespace

OldClusters old_clusters(const Collection& old, const Run& run) {
  OldClusters out;
  if (!old.result(kMainClustering)) return out;
  out.labels = old.labels_so_far(kMainClustering);
  out.clusters = old.clusters();
  out.named = named_rows(old);
  each_text(old, run, [&](Index row, std::string_view text) { out.rows[std::string(text)].push_back(row); });
  return out;
}

std::vector<std::string> keep_old_clusters(Collection& collection, const OldClusters& old, const Run& run) {
  if (old.rows.empty()) return {};
  std::unordered_map<std::string, Index> taken;
  std::vector<Index> was(collection.rows(), kNone);
  each_text(collection, run, [&](Index row, std::string_view text) {
    const auto found = old.rows.find(std::string(text));
    if (found == old.rows.end()) return;
    Index& next = taken[found->first];
    if (next < found->second.size()) was[row] = found->second[next++];
  });
  Labels labels{std::vector<Label>(was.size(), kNoise), old.labels.count};
  NamedRows named{{std::vector<Label>(was.size(), kNoise), old.named.rows.count}, old.named.names};
  for (Index row = 0; row < was.size(); ++row) {
    if (was[row] == kNone) continue;
    labels.of[row] = old.labels.of[was[row]];
    named.rows.of[row] = old.named.rows.of[was[row]];
  }
  store(collection, labels, old.clusters, kGiven);
  keep_named_rows(collection, named);
  std::vector<std::string> gone;
  const std::vector<Index> left = label_sizes(named.rows);
  for (Index i = 0; i < left.size(); ++i)
    if (left[i] == 0) gone.push_back(named.names[i].name);
  return gone;
}

std::optional<Identities> keep_numbers(Collection& collection, const std::string& key, Clustering& made) {
  const auto mark = collection.manifest(kBeforeFor);
  if (mark != key && mark != kGiven) {
    const bool described = !collection.clusters().empty();
    // Where names are still to come, a run was interrupted after its labels: those before it are compared.
    if (collection.result(kMainClustering) && (described || !collection.result(kClustersBefore)))
      store(collection, collection.labels_so_far(kMainClustering), collection.clusters(), key);
    else if (collection.result(kClustersBefore))
      collection.set_manifest(kBeforeFor, key);
  }
  if (!collection.result(kClustersBefore)) return std::nullopt;
  const Labels before = collection.labels_so_far(kClustersBefore);
  if (before.count == 0) return std::nullopt;
  std::vector<Label> number;
  Identities out =
      keep_identities(before, collection.clusters(kClustersBefore), made.clusters.labels, number);
  for (Label& label : made.clusters.labels.of)
    if (label != kNoise) label = number[static_cast<Index>(label)];
  const auto moved = [&](auto& values) {
    auto from = values;
    for (Index c = 0; c < from.size(); ++c) values[static_cast<Index>(number[c])] = from[c];
  };
  moved(made.clusters.original);
  if (made.findings.stability) moved(made.findings.stability->jaccard);
  return out;
}

void set_kept_labels(Collection& collection, const std::string& key, const Labels& labels) {
  collection.together([&] {
    collection.set_labels(labels);
    if (collection.result(kClustersBefore)) collection.set_manifest(kBeforeFor, key);
  });
}

void forget_clusters_before(Collection& collection) {
  collection.drop_result(kClustersBefore);
  collection.forget_manifest(kBeforeFor);
}

}  // namespace shoal
