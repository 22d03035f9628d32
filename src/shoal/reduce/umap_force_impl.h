#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "shoal/core/matrix.h"

namespace shoal {

/// A smooth function of a positive float as straight lines between tabulated points, 32 an octave from 2^-14
/// to 2^16; beyond, the last values hold. Within 0.1% for the powers of a layout's forces: cheaper than the
/// power, and the same bits on every machine.
class ForceTable {
 public:
  /// `tabulate(x, y, count)` fills y with the function's values at x.
  template <class F>
  explicit ForceTable(F&& tabulate) {
    std::array<float, kSegments + 1> x, y;
    for (std::uint32_t i = 0; i <= kSegments; ++i) x[i] = std::bit_cast<float>(kBase + (i << kShift));
    tabulate(x.data(), y.data(), Index{kSegments} + 1);
    for (std::uint32_t i = 0; i < kSegments; ++i) {
      const float slope = (y[i + 1] - y[i]) / (x[i + 1] - x[i]);
      lines_[i] = {y[i] - slope * x[i], slope};
    }
  }

  float operator()(float x) const {
    x = x > kLeast ? x : kLeast;  // NaN too
    x = x < kMost ? x : kMost;
    const Line line = lines_[(std::bit_cast<std::uint32_t>(x) - kBase) >> kShift];
    return line.offset + line.slope * x;
  }

 private:
  // A float's bits, read as an integer, count its octaves and the equal steps within each.
  static constexpr std::uint32_t kBitsPerOctave = 5, kShift = 23 - kBitsPerOctave;
  static constexpr std::uint32_t kOctaves = 30, kSegments = kOctaves << kBitsPerOctave;
  static constexpr std::uint32_t kBase = std::uint32_t{127 - 14} << 23;
  static constexpr float kLeast = std::bit_cast<float>(kBase);
  static constexpr float kMost = std::bit_cast<float>(kBase + (kOctaves << 23) - 1);

  struct Line {
    float offset, slope;
  };
  std::array<Line, kSegments> lines_;
};

}  // namespace shoal
