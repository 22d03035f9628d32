#pragma once

#include <cstdint>
#include <vector>

#include "shoal/near/prepared_impl.h"

namespace shoal {

/// Tells from the product of two prepared rows what their `distance` can be, so that it is worked out only
/// where the rounding of products leaves it open. For rows i, j with product p:
///   p <  least(i) + least(j) - most_half_square(w)   then their distance is above w;
///   p >= sure(i) + sure(j) - sure_half_square(w)     then their distance is w or less.
/// All in float; the bounds hold whatever the order in which these sums are made.
class PairFilter {
 public:
  explicit PairFilter(const Prepared& x);

  float least(Index row) const { return least_[row]; }
  float sure(Index row) const { return sure_[row]; }
  /// `w` in the caller's units, >= 0; infinity is allowed.
  float most_half_square(float w) const;
  float sure_half_square(float w) const;

 private:
  double half_square(float w) const;

  Metric metric_;
  double unit_;
  std::vector<float> least_, sure_;
};

/// Is any product of `products` at least `thresholds` + shift? A plain loop that compilers turn into vector
/// compares: no early exit.
inline bool any_reaches(const float* products, float shift, const float* thresholds, Index n) {
  int hit = 0;
  for (Index i = 0; i < n; ++i) hit |= products[i] >= thresholds[i] + shift;
  return hit != 0;
}

}  // namespace shoal
