#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "shoal/core/run.h"
#include "shoal/flow/find_clusters.h"
#include "shoal/flow/identities.h"
#include "shoal/flow/names/own_names.h"

namespace shoal {

/// The labels that the numbers of a collection's clusters were kept from; of rows that were there.
inline constexpr const char* kClustersBefore = "clusters_before";

/// The clusters of a collection that will be replaced, and its texts, by which its rows are found again.
struct OldClusters {
  Labels labels;
  std::vector<ClusterRecord> clusters;
  NamedRows named;
  std::unordered_map<std::string, std::vector<Index>> rows;  ///< that have a text, ascending
};
OldClusters old_clusters(const Collection& old, const Run& run);
/// Rows of the new collection get what the old one's rows of the same text had, the first of them the
/// first's and so on: their labels, as clusters before, and the user's names. The names of which no text is
/// left.
std::vector<std::string> keep_old_clusters(Collection& collection, const OldClusters& old, const Run& run);

/// Renumbers the clusters that were `made` as those before: of the map that was replaced, or of the
/// collection's last one. key: of this step; run again under it, interrupted, it gives the same. Nothing if
/// there were none.
std::optional<Identities> keep_numbers(Collection& collection, const std::string& key, Clustering& made);
/// Sets the labels, and that they have their numbers from before.
void set_kept_labels(Collection& collection, const std::string& key, const Labels& labels);
/// The numbers are not kept: nothing is left of those before.
void forget_clusters_before(Collection& collection);

}  // namespace shoal
