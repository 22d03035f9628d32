#pragma once

#include <vector>

#include "shoal/core/matrix.h"

namespace shoal {

/// cos and sin of 2 pi k / n, to the last digit or two, with the same bits on every machine.
struct UnitRoot {
  double cos, sin;
};
UnitRoot unit_root(Index k, Index n);

/// The discrete Fourier transform of 16 sequences of complex numbers at once. Element k of all of them is 32
/// floats: 16 real parts, then 16 imaginary ones. Passes of Stockham's kind, which need no reordering, by the
/// factors 5, 4, 3 and 2.
/// The inverse, times n, is the same transform with real and imaginary parts swapped before and after.
class LaneFft {
 public:
  static constexpr Index kLanes = 16, kItem = 2 * kLanes;

  /// The least length that is at least `least` and can be transformed fast: 2^a times 1, 3, 5, 9 or 15; even.
  static Index length_for(Index least);

  LaneFft() = default;
  explicit LaneFft(Index length);  ///< one that length_for gave
  Index length() const { return length_; }

  /// Transforms `data`, `length()` items; `scratch` is as long. Both are overwritten; returns the one that
  /// holds the result.
  float* run(float* data, float* scratch) const;
  /// Whether that is `data`.
  bool stays() const { return passes_.size() % 2 == 0; }

 private:
  struct Pass {
    Index radix, groups, stride;
    std::vector<float> twiddles;  // (radix - 1) pairs a group
  };
  Index length_ = 0;
  std::vector<Pass> passes_;
};

}  // namespace shoal
