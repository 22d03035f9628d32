#pragma once

#include <optional>
#include <string>
#include <vector>

#include "shoal/core/run.h"
#include "shoal/store/collection/collection.h"

namespace shoal {

/// Something of the rows, beside what they are about, that the clusters go by.
struct Followed {
  std::string column;  ///< empty: the texts' languages, as they are detected
  double purity = 0;  ///< mean over the rows: share of its cluster that has the cluster's most frequent value
  double base = 0;    ///< share of all rows that have the most frequent value
  double p = 1;       ///< of the chi-square test
  double ami = 0;     ///< adjusted mutual information: 0 chance, 1 the same
};

/// What the clusters follow more than chance would: languages, if at least half of what they could tell of
/// the clusters is so ((purity - base) / (1 - base) is 0.5 or more), and the column with 2 to 200 different
/// values of which the same is 0.7 or more and highest. With p below 0.001 and an AMI of 0.05 or more. Looks
/// at 20,000 rows, spread evenly, and 50 columns at most. Languages first. Empty while there are no clusters.
std::vector<Followed> what_clusters_follow(const Collection& collection, const Run& run);

/// Of a map that is neutral to groups: how much more than chance the ten nearest rows of a row are still of
/// its group, (share - expected) / (1 - expected), among 3,000 rows spread evenly. About 0 where groups have
/// the same topics. Nothing if fewer than 20 rows have a group.
std::optional<double> left_of_groups(const Collection& collection, const Run& run);

/// From this on groups differ in their topics too, some of which were taken away with the means (measured on
/// sib200, docs/languages.md).
inline constexpr double kMuchLeft = 0.2;

}  // namespace shoal
