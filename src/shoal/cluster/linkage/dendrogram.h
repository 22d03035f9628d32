#pragma once

#include <cstdint>
#include <vector>

#include "shoal/core/labels.h"
#include "shoal/core/matrix.h"

namespace shoal {

/// One joining of two clusters. Ids as in SciPy: 0..n-1 are rows, n + i is what merge i made; first < second.
struct Merge {
  std::uint32_t first = 0, second = 0;
  double height = 0;       ///< distance at which the two were joined
  std::uint32_t size = 0;  ///< rows in the new cluster

  bool operator==(const Merge&) const = default;
};

/// The whole history of joinings of n rows: SciPy's linkage matrix, row i = merges[i]. Heights do not fall
/// from merge to merge, save under centroid linkage, where an inversion is possible.
struct Dendrogram {
  Index rows = 0;             ///< n
  std::vector<Merge> merges;  ///< n - 1 of them (0 for no rows)

  bool operator==(const Dendrogram&) const = default;

  /// The n_clusters clusters that are left before the last n_clusters - 1 merges, numbered by their smallest
  /// row. Error(argument) unless 1 <= n_clusters <= rows. O(n).
  Labels cut(Index n_clusters) const;
  /// How many clusters are left when joining stops before the first merge higher than `height`.
  Index clusters_at(double height) const;
  /// Error(data) naming the first merge that no tree of `rows` rows can have: an id used twice or too early,
  /// a wrong size, a height that is not a number.
  void check() const;
};

/// Numbers the ids of groups (any values) 0, 1, ... in the order in which they first occur.
Labels number_by_first(const std::vector<std::uint32_t>& group);

}  // namespace shoal
