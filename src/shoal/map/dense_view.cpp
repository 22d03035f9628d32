#include "shoal/map/dense_view.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace shoal {
namespace {

constexpr double kKept = 0.96;   // of the points, at least
constexpr double kWorth = 3;     // shares of a side that a share of the points must buy
constexpr Index kSlices = 1000;  // a slice is this part of the points, at least one

/// The finite points by one axis, those that are still inside.
class Axis {
 public:
  Axis(MatrixView points, const std::vector<Index>& rows, Index axis) : points_(points), axis_(axis) {
    order_ = rows;
    std::ranges::stable_sort(order_, {}, [&](Index row) { return points_[row][axis_]; });
    last_ = order_.size();
  }

  float low() const { return at(first_); }
  float high() const { return at(last_ - 1); }
  double length() const { return double{high()} - low(); }

  struct Slice {
    bool from_above = false;
    Index points = 0;  // that are still inside
    double gain = 0;   // share of the side
  };

  /// The best slice of whole steps of `step` points, at most `most` points, by gain a point.
  Slice best(const std::vector<char>& inside, Index step, Index most) const {
    Slice best;
    for (const bool above : {false, true}) {
      Index seen = 0, alive = 0;
      while (alive < most) {
        const Index goal = std::min(alive + step, most);
        while (alive < goal && seen < last_ - first_)
          alive += inside[order_[above ? last_ - 1 - seen : first_ + seen]] != 0, ++seen;
        Index next = seen;  // the next that is still inside is the new end of the side
        while (next < last_ - first_ && inside[order_[above ? last_ - 1 - next : first_ + next]] == 0) ++next;
        if (next >= last_ - first_) break;
        const double gone = above ? double{high()} - at(last_ - 1 - next) : double{at(first_ + next)} - low();
        const double gain = gone / length();
        if (gain * static_cast<double>(best.points) > best.gain * static_cast<double>(alive) ||
            best.points == 0)
          best = {above, alive, gain};
      }
    }
    return best;
  }

  void cut(const Slice& slice, std::vector<char>& inside) {
    Index left = slice.points;
    while (left > 0) {
      const Index row = order_[slice.from_above ? --last_ : first_++];
      left -= inside[row] != 0;
      inside[row] = 0;
    }
    trim(inside);
  }

  /// Ends on points that are inside.
  void trim(const std::vector<char>& inside) {
    while (first_ + 1 < last_ && inside[order_[first_]] == 0) ++first_;
    while (first_ + 1 < last_ && inside[order_[last_ - 1]] == 0) --last_;
  }

 private:
  float at(Index i) const { return points_[order_[i]][axis_]; }

  MatrixView points_;
  Index axis_;
  std::vector<Index> order_;
  Index first_ = 0, last_ = 0;
};

std::vector<Index> finite_rows(MatrixView points) {
  std::vector<Index> rows;
  for (Index i = 0; i < points.rows; ++i)
    if (std::isfinite(points[i][0]) && std::isfinite(points[i][1])) rows.push_back(i);
  return rows;
}

/// With room around one place.
MapBox box_of(const Axis& x, const Axis& y) {
  MapBox box{{x.low(), y.low()}, {x.high(), y.high()}};
  if (box.low.x == box.high.x && box.low.y == box.high.y) {
    box.low = {box.low.x - 0.5f, box.low.y - 0.5f};
    box.high = {box.high.x + 0.5f, box.high.y + 0.5f};
  }
  return box;
}

}  // namespace

MapBox dense_view(MatrixView points) {
  const std::vector<Index> rows = finite_rows(points);
  if (rows.empty()) return {{-0.5f, -0.5f}, {0.5f, 0.5f}};
  std::array<Axis, 2> axes{Axis(points, rows, 0), Axis(points, rows, 1)};
  std::vector<char> inside(points.rows);
  for (const Index row : rows) inside[row] = 1;
  const auto all = static_cast<double>(rows.size());
  const Index step = std::max<Index>(1, rows.size() / kSlices);
  auto left = rows.size() - static_cast<Index>(std::ceil(kKept * all));
  while (left > 0) {
    Axis* side = nullptr;
    Axis::Slice slice;
    for (Axis& axis : axes) {
      if (!(axis.length() > 0)) continue;
      const Axis::Slice found = axis.best(inside, step, left);
      if (found.points == 0) continue;
      if (side == nullptr ||
          found.gain * static_cast<double>(slice.points) > slice.gain * static_cast<double>(found.points))
        side = &axis, slice = found;
    }
    if (side == nullptr || slice.gain < kWorth * static_cast<double>(slice.points) / all) break;
    side->cut(slice, inside);
    left -= slice.points;
    for (Axis& axis : axes) axis.trim(inside);
  }
  return box_of(axes[0], axes[1]);
}

MapBox whole_view(MatrixView points) {
  const std::vector<Index> rows = finite_rows(points);
  if (rows.empty()) return {{-0.5f, -0.5f}, {0.5f, 0.5f}};
  return box_of(Axis(points, rows, 0), Axis(points, rows, 1));
}

Index count_outside(MatrixView points, const MapBox& box) {
  Index out = 0;
  for (const Index row : finite_rows(points)) {
    const float x = points[row][0], y = points[row][1];
    out += x < box.low.x || x > box.high.x || y < box.low.y || y > box.high.y;
  }
  return out;
}

}  // namespace shoal
