#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "shoal/core/labels.h"

namespace shoal {

/// What became of clusters when they were found anew.
struct ClusterMatch {
  /// Of each new cluster the old one that it goes on: so that no two go on the same, and most rows stay in
  /// their cluster; absent: born.
  std::vector<std::optional<Label>> goes_on;
  std::vector<double> kept;  ///< of each new cluster that goes on an old one: rows in both / rows in either
  std::vector<Label> died;   ///< old clusters that nothing goes on
  /// Old clusters of whose rows at least a quarter each went to two new ones or more, with these; and new
  /// ones of whose rows at least a quarter each came from two old ones or more.
  std::vector<std::pair<Label, std::vector<Label>>> splits, merges;
};
/// Both of the same rows; rows that either calls noise count nowhere. A new cluster goes on an old one only
/// if they share at least a tenth of their rows together. Error(data) unless both have one label a row.
ClusterMatch match_clusters(const Labels& before, const Labels& now);
/// A number for each new cluster, 0..count-1, each once. One that goes on keeps the number of the old one, so
/// far as there is such a number now; the others, in their order, get those that are left, smallest first:
/// those that go on before those that are born.
std::vector<Label> numbers_kept(const ClusterMatch& match);

}  // namespace shoal
