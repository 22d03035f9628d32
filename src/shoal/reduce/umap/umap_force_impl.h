#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "shoal/core/matrix.h"
#include "shoal/reduce/umap/umap_curve_impl.h"

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

/// A place on a map, or a move there.
struct Spot {
  float x = 0, y = 0;
};

/// Gradients of the cross entropy by the squared distance of two points, as factors of the difference of
/// their places.
struct Forces {
  ForceTable attraction, repulsion;
};
Forces forces_of(Curve curve);

/// A component of a force is at most this.
inline constexpr float kMostForce = 4;

inline float clipped(float force) {
  force = force > -kMostForce ? force : -kMostForce;
  return force < kMostForce ? force : kMostForce;
}

/// What moves the point at `from`, because of the one at `to`.
inline Spot force(const ForceTable& table, Spot from, Spot to) {
  const float dx = from.x - to.x, dy = from.y - to.y;
  const float factor = table(dx * dx + dy * dy);
  return {clipped(factor * dx), clipped(factor * dy)};
}

/// SplitMix64 from a start that Random gives, so that nobody else's draws matter.
class Draws {
 public:
  explicit Draws(std::uint64_t start) : state_(start) {}

  /// 0..n-1, n < 2^32.
  Index below(Index n) {
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return ((z >> 32) * n) >> 32;
  }

 private:
  std::uint64_t state_;
};

}  // namespace shoal
