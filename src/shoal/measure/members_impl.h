#pragma once

#include <vector>

#include "shoal/core/labels.h"

namespace shoal {

/// The rows of a labelling's clusters, without noise and without clusters that have no rows.
struct Members {
  Labels compact;             ///< of each row: 0..clusters() - 1, or kNoise
  std::vector<Label> number;  ///< of each cluster of the labelling: its number here; kNoise: it has no rows
  std::vector<Index> sizes;   ///< never 0
  Index rows = 0;             ///< that are not noise

  /// Error(data) unless there are labels for n rows, and for fewer than two clusters with rows.
  Members(const Labels& labels, Index n);
  Index clusters() const { return sizes.size(); }
  Label of(Index row) const { return compact.of[row]; }
};

}  // namespace shoal
