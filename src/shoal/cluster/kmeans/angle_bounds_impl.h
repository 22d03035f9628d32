#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "shoal/core/labels.h"
#include "shoal/core/matrix.h"

namespace shoal {

/// An angle as a whole number: pi is 2^14 of them, 0.011 degrees each. Bounds are rounded to the safe side.
using Angle = std::int16_t;
inline constexpr Angle kRightAngle = 1 << 13;
inline constexpr Angle kNoAngle = 32767;  ///< bound of an empty set: further than anything

/// Angles that bound what a computed cosine can mean. A product of two unit vectors of `dims` floats, in any
/// order of summation, is off by at most `slack()`: dims + 1 roundings, and the vectors' own lengths.
class AngleTable {
 public:
  explicit AngleTable(Index dims);
  float slack() const { return slack_; }
  /// No true angle of a product computed as `cosine` is smaller.
  Angle at_least(float cosine) const { return at_least_[cell(cosine)]; }
  void at_least(std::span<const float> cosines, Angle* bounds) const;  // out: bounds, one a cosine
  /// A vector further away than this (in true angle) has a smaller computed cosine, however it rounds, than
  /// the vector whose product was computed as `cosine` has by any other order of summation. The statement
  /// stays true when that vector moves by an angle which is added to the limit, up to kRightAngle.
  Angle limit(float cosine) const { return limit_[cell(cosine)]; }
  /// The angle between two unit vectors, rounded up.
  static Angle step(std::span<const float> from, std::span<const float> to);

 private:
  static constexpr int kCells = 4096;
  static std::int32_t cell(float cosine) {
    const float place = (cosine + 1) * (kCells / 2);  // products of unit vectors leave -1..1 by rounding only
    return static_cast<std::int32_t>(place < 0 ? 0 : place > kCells - 1 ? kCells - 1 : place);
  }
  float slack_;
  std::vector<Angle> at_least_, limit_;
};

/// What is known about each row's angles (or other distances that obey the triangle inequality) without
/// looking at the row: for its own centroid a limit as of AngleTable::limit, for each set of `width`
/// neighbouring centroids a lower bound over the set without the row's own centroid. Centroids move; a bound
/// is kept as if they had not, and what a set has moved since is subtracted when it is read: triangle
/// inequality of angles, cf. Elkan 2003, Schubert, Lang, Feher, arXiv:2107.04074. 2 n sets + 4 n bytes; width
/// is the least for which the first of these stay within `most_bytes`.
class AngleBounds {
 public:
  static constexpr Index kMostBytes = Index{1} << 30;

  AngleBounds(Index rows, Index clusters, Index most_bytes = kMostBytes);

  Index width() const { return width_; }
  Index sets() const { return moved_.size(); }
  /// Nothing is known about the row any more.
  void forget(Index row);
  /// Every centroid has moved by an angle of at most step[centroid]. Bounds that could leave their range are
  /// carried forward when `settle` is called for their row.
  void advance(std::span<const Angle> step);
  /// Call once for each row after `advance`, before reading its bounds.
  void settle(Index row, Label own);

  /// Nothing further away than this can win the row; kRightAngle or more: unknown.
  int limit(Index row, Label own) const { return limit_[row] + own_offset(own); }
  void set_limit(Index row, Label own, int limit) { limit_[row] = limit - own_offset(own); }
  int bound(Index row, Index set) const { return bounds_[row * sets() + set] - offset_[set]; }
  void set_bound(Index row, Index set, Angle bound) {
    bounds_[row * sets() + set] = bound == kNoAngle ? kNoAngle : static_cast<Angle>(bound + offset_[set]);
  }
  /// Sets all bounds of a row. `each`: one a centroid; overwritten.
  void learn(Index row, Label own, std::span<Angle> each);
  /// True if the bound of a set is not beyond `limit` (below kRightAngle).
  bool any_within(Index row, int limit) const;
  /// The sets whose bound is not beyond `limit` (below kRightAngle), ascending, in `scratch`.
  std::span<const std::uint32_t> sets_within(Index row, int limit, std::vector<std::uint32_t>& scratch) const;

 private:
  int own_offset(Label own) const { return settling_ ? 0 : centroid_moved_[own]; }
  Index width_, clusters_;
  bool settling_ = false;              // this round every row's bounds are carried forward
  std::vector<Angle> bounds_;          // rows x sets
  std::vector<std::int32_t> limit_;    // rows
  std::vector<Angle> moved_, offset_;  // of each set: since the last settling; the same, or 0 while settling
  std::vector<Angle> centroid_moved_;
};

}  // namespace shoal
