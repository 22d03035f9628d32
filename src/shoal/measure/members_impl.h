#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "shoal/core/labels.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"

namespace shoal {

/// The rows of a labelling's clusters, without noise and without clusters that have no rows.
struct Members {
  std::vector<Label> of;      ///< of each row: 0..clusters() - 1, or kNoise
  std::vector<Label> number;  ///< of each cluster of the labelling: its number here; kNoise: it has no rows
  std::vector<Index> sizes;   ///< never 0
  Index rows = 0;             ///< that are not noise

  /// Error(argument) unless the labels fit the rows; Error(data) for fewer than two clusters with rows, and
  /// for rows with NaN or infinities.
  Members(const Rows& x, const Labels& labels, const Run& run);
  Index clusters() const { return sizes.size(); }
};

/// A row in double, scaled to length 1 if it is not zero.
void unit_row(std::span<const float> row, std::span<double> unit);

/// The sum of each cluster's rows (of length 1 if `unit`), clusters x cols, folded in order.
/// At most 16 partial sums are held.
std::vector<double> cluster_sums(const Rows& x, const Members& members, bool unit, const Run& run);

}  // namespace shoal
