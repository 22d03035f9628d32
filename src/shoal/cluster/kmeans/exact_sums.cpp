#include "shoal/cluster/kmeans/exact_sums_impl.h"

#include <bit>
#include <cmath>

namespace shoal {

// Values below 2^e: `most_rows` of them sum to less than 2^(bits + e) in magnitude; with multiples of
// 2^(bits + e - 52) every partial sum needs at most 52 bits. What is rounded away is at most half of that.
ExactSums::Rounder ExactSums::rounder(Index most_rows, double most) {
  const int bits = std::bit_width(most_rows), e = most > 0 ? std::ilogb(most) + 1 : 1;
  const int exponent = bits + (most == std::ldexp(1.0, e - 1) ? e - 1 : e);
  return {std::ldexp(1.5, exponent), std::ldexp(1.5, exponent - 52 + bits)};
}

ExactSums::ExactSums(Index clusters, Index cols, const Range& range)
    : cols_(cols),
      values_(rounder(range.most_rows, range.most * range.most_weight)),
      weights_(rounder(range.most_rows, 2 * range.most_weight)),
      sums_(clusters * cols),
      fine_(range.fine ? clusters * cols : 0),
      mass_(clusters),
      counts_(clusters),
      locks_(std::make_unique<std::mutex[]>(clusters)) {}

void ExactSums::add(Index cluster, std::span<const float> row, double weight) {
  double* sum = sums_.data() + cluster * cols_;
  if (fine_.empty()) {
    for (Index j = 0; j < cols_; ++j) sum[j] += (row[j] * weight + values_.coarse) - values_.coarse;
  } else {
    double* fine = fine_.data() + cluster * cols_;
    for (Index j = 0; j < cols_; ++j) {
      const double value = row[j] * weight, high = (value + values_.coarse) - values_.coarse;
      sum[j] += high;
      fine[j] += ((value - high) + values_.fine) - values_.fine;
    }
  }
  const double high = (weight + weights_.coarse) - weights_.coarse;
  mass_[cluster].coarse += high;
  mass_[cluster].fine += ((weight - high) + weights_.fine) - weights_.fine;
}

void ExactSums::move(std::span<const float> row, float weight, Label from, Label to) {
  if (from != kNoise) {
    const std::scoped_lock lock(locks_[from]);
    add(static_cast<Index>(from), row, -weight);
    --counts_[from];
  }
  const std::scoped_lock lock(locks_[to]);
  add(static_cast<Index>(to), row, weight);
  ++counts_[to];
}

std::vector<double> ExactSums::sum(Index cluster) const {
  std::vector<double> total(sums_.begin() + static_cast<std::ptrdiff_t>(cluster * cols_),
                            sums_.begin() + static_cast<std::ptrdiff_t>((cluster + 1) * cols_));
  for (Index j = 0; j < cols_ && !fine_.empty(); ++j) total[j] += fine_[cluster * cols_ + j];
  return total;
}

}  // namespace shoal
