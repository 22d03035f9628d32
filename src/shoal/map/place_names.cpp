#include "shoal/map/place_names.h"

#include <algorithm>
#include <cmath>

#include "shoal/core/error.h"

namespace shoal {
namespace {

constexpr double kTail = 0.003;      // the share of points outside the box at each end of each axis
constexpr Index kClusterCells = 48;  // finer than most clusters, coarser than their inner texture
constexpr Index kGroupCells = 12;

bool is_finite(MatrixView points, Index row) {
  return std::isfinite(points[row][0]) && std::isfinite(points[row][1]);
}

float at_share(std::vector<float>& values, double share) {
  const auto nth = values.begin() + static_cast<std::ptrdiff_t>(share * (values.size() - 1) + 0.5);
  std::ranges::nth_element(values, nth);
  return *nth;
}

struct Interval {
  float low, high;
};

Interval middle(MatrixView points, Index axis) {
  std::vector<float> values;
  values.reserve(points.rows);
  for (Index i = 0; i < points.rows; ++i)
    if (is_finite(points, i)) values.push_back(points[i][axis]);
  if (values.empty()) return {-0.5f, 0.5f};
  return {at_share(values, kTail), at_share(values, 1 - kTail)};
}

/// Which cell of the grid a point falls into; points outside the box fall into its outermost cells.
class Cells {
 public:
  Cells(const MapBox& box, Index cells) : box_(box), cells_(cells) {}

  Index column(float x) const { return along(x, box_.low.x, box_.high.x); }
  Index row(float y) const { return along(y, box_.low.y, box_.high.y); }
  Index of(std::span<const float> p) const { return row(p[1]) * cells_ + column(p[0]); }

 private:
  Index along(float v, float low, float high) const {
    const double share = (double{v} - low) / std::max(double{high} - low, 1e-30);
    return static_cast<Index>(std::clamp(share * cells_, 0.0, cells_ - 1.0));
  }

  MapBox box_;
  Index cells_;
};

Index count_around(const std::vector<Index>& counts, Index cells, Index row, Index column) {
  Index sum = 0;
  for (Index r = row == 0 ? 0 : row - 1; r <= std::min(row + 1, cells - 1); ++r)
    for (Index c = column == 0 ? 0 : column - 1; c <= std::min(column + 1, cells - 1); ++c)
      sum += counts[r * cells + c];
  return sum;
}

/// The cell whose 3 x 3 neighbourhood holds most points.
Index fullest(const std::vector<Index>& counts, Index cells) {
  Index best = 0, most = 0;
  for (Index cell = 0; cell < counts.size(); ++cell) {
    const Index here = counts[cell] == 0 ? 0 : count_around(counts, cells, cell / cells, cell % cells);
    if (here > most) best = cell, most = here;
  }
  return best;
}

bool near_cell(Index a, Index b) { return a + 1 >= b && b + 1 >= a; }

Place densest(MatrixView points, std::span<const Index> members, const MapBox& box, Index cells) {
  const Cells grid(box, cells);
  std::vector<Index> counts(cells * cells);
  for (const Index i : members) ++counts[grid.of(points[i])];
  const Index best = fullest(counts, cells);
  std::vector<float> x, y;
  for (const Index i : members) {
    if (!near_cell(grid.row(points[i][1]), best / cells)) continue;
    if (!near_cell(grid.column(points[i][0]), best % cells)) continue;
    x.push_back(points[i][0]);
    y.push_back(points[i][1]);
  }
  return {at_share(x, 0.5), at_share(y, 0.5)};
}

}  // namespace

MapBox map_box(MatrixView points) {
  MapBox box;
  float* const low[] = {&box.low.x, &box.low.y};
  float* const high[] = {&box.high.x, &box.high.y};
  for (Index axis = 0; axis < 2; ++axis) {
    const Interval found = middle(points, axis);
    *low[axis] = found.low;
    *high[axis] = found.high;
  }
  if (box.low.x == box.high.x && box.low.y == box.high.y) {
    box.low = {box.low.x - 0.5f, box.low.y - 0.5f};
    box.high = {box.high.x + 0.5f, box.high.y + 0.5f};
  }
  return box;
}

std::vector<Place> densest_places(MatrixView points, const Labels& labels, const MapBox& box, Index cells) {
  require(points.rows == labels.of.size(), Fault::argument,
          "the map has " + std::to_string(points.rows) + " points and " + std::to_string(labels.of.size()) +
              " labels; they must be as many");
  std::vector<std::vector<Index>> members(labels.count);
  for (Index i = 0; i < points.rows; ++i) {
    const Label label = labels.of[i];
    if (label == kNoise) continue;
    if (label < 0 || static_cast<Index>(label) >= labels.count)
      throw Error(Fault::argument, "row " + std::to_string(i) + " has the label " + std::to_string(label) +
                                       "; labels are 0 to " + std::to_string(labels.count) + " - 1, or -1");
    if (is_finite(points, i)) members[label].push_back(i);
  }
  const Place centre{box.low.x / 2 + box.high.x / 2, box.low.y / 2 + box.high.y / 2};
  std::vector<Place> places(labels.count, centre);
  for (Index label = 0; label < labels.count; ++label)
    if (!members[label].empty()) places[label] = densest(points, members[label], box, cells);
  return places;
}

NamePlaces place_names(MatrixView points, const Labels& labels, const std::vector<Label>& group_of,
                       Index n_groups) {
  if (points.rows == 0) return {};
  const MapBox box = map_box(points);
  NamePlaces out;
  out.clusters = densest_places(points, labels, box, kClusterCells);
  Labels groups{labels.of, n_groups};
  for (Label& label : groups.of)
    if (label != kNoise) label = group_of[static_cast<Index>(label)];
  out.groups = densest_places(points, groups, box, kGroupCells);
  return out;
}

}  // namespace shoal
