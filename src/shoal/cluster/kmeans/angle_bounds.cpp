#include "shoal/cluster/kmeans/angle_bounds_impl.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <numbers>

#include "shoal/kernels/kernels.h"

namespace shoal {
namespace {

constexpr double kPerRadian = 2 * kRightAngle / std::numbers::pi;
constexpr Angle kStraight = 2 * kRightAngle;
// Bounds (up to kStraight) plus this, and kNoAngle minus this and one more step, must stay in range.
constexpr Angle kMostMoved = kRightAngle - 1;

constexpr Index kRun = 32;  // so many sets are tested together, without a branch for each

bool any_of_run(const Angle* bounds, const Angle* offset, Angle most) {
  Angle hit = 0;
  for (Index i = 0; i < kRun; ++i)
    hit = static_cast<Angle>(hit | -(static_cast<Angle>(bounds[i] - offset[i]) <= most));
  return hit != 0;
}

double arc(double cosine) { return std::acos(std::clamp(cosine, -1.0, 1.0)) * kPerRadian; }

}  // namespace

AngleTable::AngleTable(Index dims)
    : slack_(static_cast<float>(3e-6 + 1.01 * (static_cast<double>(dims) + 1) * 0x1p-24)),
      at_least_(kCells),
      limit_(kCells) {
  for (int i = 0; i < kCells; ++i) {
    const double low = 2.0 * i / kCells - 1, high = 2.0 * (i + 1) / kCells - 1;
    at_least_[i] = static_cast<Angle>(std::max(0.0, std::floor(arc(high + slack_))));
    limit_[i] = static_cast<Angle>(std::ceil(arc(low - 3 * slack_)));
  }
}

void AngleTable::at_least(std::span<const float> cosines, Angle* bounds) const {
  constexpr Index kPiece = 64;  // cells of a piece are found with vector instructions, then looked up
  for (Index first = 0; first < cosines.size(); first += kPiece) {
    const Index count = std::min(kPiece, cosines.size() - first);
    std::int32_t cells[kPiece];
    for (Index i = 0; i < count; ++i) cells[i] = cell(cosines[first + i]);
    for (Index i = 0; i < count; ++i) bounds[first + i] = at_least_[cells[i]];
  }
}

Angle AngleTable::step(std::span<const float> from, std::span<const float> to) {
  const double squared = kernels().squared_distance(from.data(), to.data(), from.size());
  if (squared == 0) return 0;
  const double chord = std::sqrt(squared) * 1.001 + 3e-6;  // rounding of the sum and of both lengths
  return static_cast<Angle>(std::ceil(2 * std::asin(std::min(1.0, chord / 2)) * kPerRadian));
}

AngleBounds::AngleBounds(Index rows, Index clusters, Index most_bytes)
    : width_(1), clusters_(clusters), limit_(rows, kRightAngle), centroid_moved_(clusters) {
  const Index bytes = sizeof(Angle) * clusters * std::max<Index>(rows, 1);
  width_ = (bytes + most_bytes - 1) / most_bytes;
  const Index sets = (clusters + width_ - 1) / width_;
  bounds_.resize(rows * sets);
  moved_.resize(sets);
  offset_.resize(sets);
}

void AngleBounds::forget(Index row) {
  limit_[row] = 2 * kStraight;  // beyond a right angle, however the offsets move it
  std::fill_n(bounds_.begin() + static_cast<std::ptrdiff_t>(row * sets()), sets(), Angle{0});
}

void AngleBounds::learn(Index row, Label own, std::span<Angle> each) {
  each[static_cast<Index>(own)] = kNoAngle;
  if (width_ == 1) {
    Angle* bounds = bounds_.data() + row * clusters_;
    for (Index c = 0; c < clusters_; ++c) bounds[c] = static_cast<Angle>(each[c] + offset_[c]);
    bounds[own] = kNoAngle;
    return;
  }
  for (Index s = 0; s < sets(); ++s) {
    const auto in = each.subspan(s * width_, std::min(width_, clusters_ - s * width_));
    set_bound(row, s, std::ranges::min(in));
  }
}

void AngleBounds::advance(std::span<const Angle> step) {
  if (settling_) {
    std::ranges::fill(moved_, Angle{0});
    std::ranges::fill(centroid_moved_, Angle{0});
  }
  for (Index c = 0; c < clusters_; ++c) centroid_moved_[c] = static_cast<Angle>(centroid_moved_[c] + step[c]);
  for (Index s = 0; s < sets(); ++s) {
    const auto in = step.subspan(s * width_, std::min(width_, clusters_ - s * width_));
    moved_[s] = static_cast<Angle>(moved_[s] + std::ranges::max(in));
  }
  settling_ = std::ranges::max(moved_) > kMostMoved;
  offset_ = moved_;
  if (settling_) std::ranges::fill(offset_, Angle{0});
}

void AngleBounds::settle(Index row, Label own) {
  if (!settling_) return;
  Angle* bounds = bounds_.data() + row * sets();
  for (Index s = 0; s < sets(); ++s)
    if (bounds[s] != kNoAngle) bounds[s] = static_cast<Angle>(std::max(0, bounds[s] - moved_[s]));
  limit_[row] = std::min<std::int32_t>(2 * kStraight, limit_[row] + centroid_moved_[own]);
}

bool AngleBounds::any_within(Index row, int limit) const {
  const Angle most = static_cast<Angle>(limit);
  const Angle* bounds = bounds_.data() + row * sets();
  const Angle* offset = offset_.data();
  Index s = 0;
  for (; s + kRun <= sets(); s += kRun)
    if (any_of_run(bounds + s, offset + s, most)) return true;
  for (; s < sets(); ++s)
    if (bounds[s] - offset[s] <= most) return true;
  return false;
}

std::span<const std::uint32_t> AngleBounds::sets_within(Index row, int limit,
                                                        std::vector<std::uint32_t>& scratch) const {
  if (scratch.size() < sets()) scratch.resize(sets());
  std::uint32_t* out = scratch.data();
  const Angle most = static_cast<Angle>(limit);
  const Angle* bounds = bounds_.data() + row * sets();
  const Angle* offset = offset_.data();
  Index s = 0;
  for (; s + kRun <= sets(); s += kRun) {
    std::uint8_t hit[kRun];
    for (Index i = 0; i < kRun; ++i) hit[i] = static_cast<Angle>(bounds[s + i] - offset[s + i]) <= most;
    for (Index word = 0; word < kRun; word += 8) {
      std::uint64_t bits;  // one byte, 0 or 1, a set
      std::memcpy(&bits, hit + word, sizeof bits);
      for (; bits != 0; bits &= bits - 1)
        *out++ = static_cast<std::uint32_t>(s + word + std::countr_zero(bits) / 8);
    }
  }
  for (; s < sets(); ++s)
    if (bounds[s] - offset[s] <= most) *out++ = static_cast<std::uint32_t>(s);
  return {scratch.data(), out};
}

}  // namespace shoal
