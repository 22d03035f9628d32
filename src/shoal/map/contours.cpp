#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "shoal/map/dense_view.h"

namespace shoal {
namespace {

constexpr Index kCells = 160;                            // along the view's longer side
constexpr std::int32_t kFine = 64;                       // whole numbers a cell
constexpr Index kFewest = 20;                            // points that have a density
constexpr Index kPadding = 8;                            // cells around the grid that smoothing may reach
constexpr std::array kShares = {96, 80, 60, 40, 22, 8};  // per cent of the points inside each level

/// Counts, and what becomes of them: rows x columns, row 0 lowest.
struct Grid {
  Index columns = 0, rows = 0;
  std::vector<std::uint64_t> of;
};

/// Half the width of the window over which counts are summed three times, in cells. Fewer points need a wider
/// one; it shrinks more slowly than a kernel of the density would, so that a chart of many stays a chart.
Index reach_of(Index points) {
  const double sigma =
      kCells * std::clamp(0.028 * std::pow(static_cast<double>(points) / 1000, -0.12), 0.008, 0.05);
  return static_cast<Index>(
      std::clamp(std::round(sigma - 0.5), 1.0, 8.0));  // sigma of three windows is about r + 0.5
}

/// Each value becomes the sum of those at most `reach` places before and after it. `step` apart, `count` of
/// them.
void sum_along(std::uint64_t* at, Index step, Index count, Index reach, std::vector<std::uint64_t>& sums) {
  sums.assign(count + 1, 0);
  for (Index i = 0; i < count; ++i) sums[i + 1] = sums[i] + at[i * step];
  for (Index i = 0; i < count; ++i)
    at[i * step] = sums[std::min(count, i + reach + 1)] - sums[i < reach ? 0 : i - reach];
}

/// Three windows along each axis are close to a Gaussian, and whole numbers stay whole.
void smooth(Grid& grid, Index reach) {
  std::vector<std::uint64_t> sums;
  for (int pass = 0; pass < 3; ++pass) {
    for (Index r = 0; r < grid.rows; ++r) sum_along(&grid.of[r * grid.columns], 1, grid.columns, reach, sums);
    for (Index c = 0; c < grid.columns; ++c) sum_along(&grid.of[c], grid.columns, grid.rows, reach, sums);
  }
}

/// The value above which the densest cells hold a share of all points.
std::array<std::uint64_t, kShares.size()> levels_of(const Grid& grid) {
  std::vector<std::uint64_t> sorted;
  for (const std::uint64_t v : grid.of)
    if (v > 0) sorted.push_back(v);
  std::ranges::sort(sorted, std::greater{});
  const std::uint64_t all = std::reduce(sorted.begin(), sorted.end(), std::uint64_t{0});
  std::array<std::uint64_t, kShares.size()> out{};
  for (Index level = 0; level < kShares.size(); ++level) {
    std::uint64_t sum = 0;
    Index i = 0;
    while (i + 1 < sorted.size() && (sum += sorted[i]) * 100 < all * kShares[level]) ++i;
    out[level] = sorted.empty() ? 1 : sorted[i];
  }
  return out;
}

/// Marching squares over the middles of cells: each edge between two neighbours that the level parts is left
/// by one line and reached by one, and lines run so that what is dense lies on one side.
class Tracer {
 public:
  Tracer(const Grid& grid, std::uint64_t level) : grid_(grid), level_(level) {
    next_.assign(2 * grid.of.size(), kNone);
    for (Index r = 0; r + 1 < grid.rows; ++r)
      for (Index c = 0; c + 1 < grid.columns; ++c) add_square(r, c);
  }

  void trace(Index level, std::vector<Contours::Ring>& out) {
    for (Index edge = 0; edge < next_.size(); ++edge) {
      if (next_[edge] == kNone) continue;
      Contours::Ring ring{level, {}, {}};
      for (Index at = edge; next_[at] != kNone;) {
        add_point(at, ring);
        at = std::exchange(next_[at], kNone);
      }
      if (ring.x.size() > 3) out.push_back(std::move(ring));
    }
  }

 private:
  static constexpr Index kNone = ~Index{0};

  bool dense(Index cell) const { return grid_.of[cell] >= level_; }

  void add_square(Index r, Index c) {
    const Index w = grid_.columns, cell = r * w + c;
    const std::array<Index, 4> corner = {cell, cell + 1, cell + w + 1, cell + w};
    // Edges between corners: from a cell to its right neighbour, and to the one above it.
    const std::array<Index, 4> edge = {2 * cell, 2 * (cell + 1) + 1, 2 * (cell + w), 2 * cell + 1};
    std::array<Index, 2> leaves{}, enters{};
    Index n_leaves = 0, n_enters = 0, first_leave = 0, first_enter = 0;
    for (Index i = 0; i < 4; ++i) {
      const bool from = dense(corner[i]), to = dense(corner[(i + 1) % 4]);
      if (from && !to) first_leave = n_leaves == 0 ? i : first_leave, leaves[n_leaves++] = edge[i];
      if (!from && to) first_enter = n_enters == 0 ? i : first_enter, enters[n_enters++] = edge[i];
    }
    if (n_leaves == 1) next_[leaves[0]] = enters[0];
    if (n_leaves < 2) return;
    // Two dense corners across: joined if the middle is dense.
    std::uint64_t sum = 0;
    for (const Index i : corner) sum += grid_.of[i];
    const bool joined = sum / 4 >= level_;
    const bool leave_first = first_leave < first_enter;
    // Around the square leaves and enters alternate: each leave goes to the enter after it, or before it.
    const bool same = joined == leave_first;
    next_[leaves[0]] = enters[same ? 0 : 1];
    next_[leaves[1]] = enters[same ? 1 : 0];
  }

  void add_point(Index edge, Contours::Ring& ring) const {
    const Index a = edge / 2, b = edge % 2 == 0 ? a + 1 : a + grid_.columns;
    const auto low = static_cast<double>(grid_.of[a]), high = static_cast<double>(grid_.of[b]);
    const auto part = static_cast<std::int32_t>(std::clamp(
        std::floor((static_cast<double>(level_) - low) / (high - low) * kFine), 0.0, double{kFine}));
    const auto x = static_cast<std::int32_t>(a % grid_.columns) * kFine + kFine / 2;
    const auto y = static_cast<std::int32_t>(a / grid_.columns) * kFine + kFine / 2;
    const std::int32_t px = x + (edge % 2 == 0 ? part : 0), py = y + (edge % 2 == 0 ? 0 : part);
    if (!ring.x.empty() && ring.x.back() == px && ring.y.back() == py) return;
    ring.x.push_back(px);
    ring.y.push_back(py);
  }

  const Grid& grid_;
  std::uint64_t level_;
  std::vector<Index> next_;
};

}  // namespace

Contours contours(MatrixView points, const MapBox& view) {
  const double wide = double{view.high.x} - view.low.x, high = double{view.high.y} - view.low.y;
  const double cell = std::max(wide, high) / kCells;
  Contours out{{}, cell / kFine, kShares.size(), {}};
  if (!(cell > 0)) return out;
  const double margin = std::max(wide, high) / 2;
  const double left = view.low.x - margin - kPadding * cell;
  const double bottom = view.low.y - margin - kPadding * cell;
  out.low = {static_cast<float>(left), static_cast<float>(bottom)};
  Grid grid;
  grid.columns = static_cast<Index>(std::ceil((wide + 2 * margin) / cell)) + 2 * kPadding;
  grid.rows = static_cast<Index>(std::ceil((high + 2 * margin) / cell)) + 2 * kPadding;
  grid.of.assign(grid.columns * grid.rows, 0);
  Index counted = 0;
  for (Index i = 0; i < points.rows; ++i) {
    const double x = (points[i][0] - double{out.low.x}) / cell, y = (points[i][1] - double{out.low.y}) / cell;
    // Written so that NaN is outside.
    if (!(x >= kPadding && y >= kPadding && x < static_cast<double>(grid.columns - kPadding) &&
          y < static_cast<double>(grid.rows - kPadding)))
      continue;
    ++grid.of[static_cast<Index>(y) * grid.columns + static_cast<Index>(x)];
    ++counted;
  }
  if (counted < kFewest) return out;
  smooth(grid, reach_of(counted));
  // Nothing dense at the border: every line is closed.
  for (Index r = 0; r < grid.rows; ++r) grid.of[r * grid.columns] = grid.of[(r + 1) * grid.columns - 1] = 0;
  for (Index c = 0; c < grid.columns; ++c) grid.of[c] = grid.of[(grid.rows - 1) * grid.columns + c] = 0;
  const auto levels = levels_of(grid);
  for (Index level = 0; level < levels.size(); ++level) Tracer(grid, levels[level]).trace(level, out.rings);
  return out;
}

}  // namespace shoal
