#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "shoal/core/labels.h"
#include "shoal/core/matrix.h"

namespace shoal {

/// Sums of rows, one a cluster, that do not depend on the order of additions: each component is rounded to a
/// multiple of 2^-q with q such that the sum of all rows fits a double exactly (for rows of length 1, q = 35
/// for 63,000 rows, 24 for 100 million). So rows may join and leave in any order, from any thread, and the
/// bits stay the same. What that rounds away may be kept in a second sum.
class ExactSums {
 public:
  /// What is added: `most_rows` times components below `most` in magnitude.
  struct Range {
    Index most_rows = 0;
    double most = 2;
    bool fine = false;       ///< keep a second sum: 35 more bits for 63,000 rows
    double most_weight = 1;  ///< of a row
  };
  ExactSums(Index clusters, Index cols, const Range& range);

  /// Takes `weight` times `row` out of cluster `from` and puts it into cluster `to`; kNoise: out of none.
  /// Thread-safe.
  void move(std::span<const float> row, float weight, Label from, Label to);
  std::vector<double> sum(Index cluster) const;
  Index count(Index cluster) const { return counts_[cluster]; }  ///< rows
  double mass(Index cluster) const {
    return mass_[cluster].coarse + mass_[cluster].fine;
  }  ///< of their weights

 private:
  struct Mass {
    double coarse = 0, fine = 0;
  };
  /// Adding and subtracting it rounds to a multiple of 2^-q.
  struct Rounder {
    double coarse, fine;
  };
  static Rounder rounder(Index most_rows, double most);
  void add(Index cluster, std::span<const float> row, double weight);

  Index cols_;
  Rounder values_, weights_;
  std::vector<double> sums_, fine_;
  std::vector<Mass> mass_;
  std::vector<Index> counts_;
  std::unique_ptr<std::mutex[]> locks_;
};

}  // namespace shoal
