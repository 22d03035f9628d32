#include <bit>
#include <cmath>

#include "shoal/cluster/exact_sums_impl.h"

namespace shoal {

// A unit row's components are below 2, so `most_rows` of them sum to less than 2^(bits + 1) in magnitude:
// with multiples of 2^-(51 - bits) every partial sum needs at most 52 bits.
ExactSums::ExactSums(Index clusters, Index cols, Index most_rows)
    : cols_(cols),
      rounder_(std::ldexp(1.5, std::bit_width(most_rows) + 1)),
      sums_(clusters * cols),
      counts_(clusters),
      locks_(std::make_unique<std::mutex[]>(clusters)) {}

void ExactSums::move(std::span<const float> row, Label from, Label to) {
  if (from != kNoise) {
    const std::scoped_lock lock(locks_[from]);
    double* sum = sums_.data() + from * cols_;
    for (Index j = 0; j < cols_; ++j) sum[j] -= (row[j] + rounder_) - rounder_;
    --counts_[from];
  }
  const std::scoped_lock lock(locks_[to]);
  double* sum = sums_.data() + to * cols_;
  for (Index j = 0; j < cols_; ++j) sum[j] += (row[j] + rounder_) - rounder_;
  ++counts_[to];
}

}  // namespace shoal
