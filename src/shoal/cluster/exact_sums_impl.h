#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "shoal/core/labels.h"
#include "shoal/core/matrix.h"

namespace shoal {

/// Sums of unit rows, one a cluster, that do not depend on the order of additions: each component is rounded
/// to a multiple of 2^-q with q such that the sum of all rows fits a double exactly (q = 35 for 63,000 rows,
/// 24 for 100 million). So rows may join and leave in any order, from any thread, and the bits stay the same.
class ExactSums {
 public:
  ExactSums(Index clusters, Index cols, Index most_rows);

  /// Takes `row` out of cluster `from` and puts it into cluster `to`; kNoise: out of none. Thread-safe.
  void move(std::span<const float> row, Label from, Label to);
  std::span<const double> sum(Index cluster) const { return {sums_.data() + cluster * cols_, cols_}; }
  Index count(Index cluster) const { return counts_[cluster]; }

 private:
  Index cols_;
  double rounder_;  // adding and subtracting it rounds to a multiple of 2^-q
  std::vector<double> sums_;
  std::vector<Index> counts_;
  std::unique_ptr<std::mutex[]> locks_;
};

}  // namespace shoal
