#include "shoal/reduce/tsne_grid_impl.h"

#include <algorithm>

#include "shoal/core/chunks.h"
#include "shoal/reduce/four_impl.h"

namespace shoal {
namespace {

constexpr float kSpacing = 1.0f / 3;
constexpr float kMostNodes = 3000;  // in a direction; nodes of a larger map lie further apart
constexpr Index kTouched = 6;       // nodes in a direction
constexpr Index kGrain = 2048;      // points a chunk when they gather
constexpr double kPasses = 5;       // that run in parallel, one after another
constexpr Index kRows = GridConvolution::kRows, kWidth = GridConvolution::kWidth;

// A number for each of the six nodes around a point, and two zeros.
struct Six {
  Four head, tail;

  float operator[](Index i) const { return i < 4 ? head[i] : tail[i - 4]; }
  static Six load(const float* p) { return {load_four(p), load_four(p + 4)}; }
  void store(float* p) const { store_four(p, head), store_four(p + 4, tail); }
};
Six operator+(Six a, Six b) { return {a.head + b.head, a.tail + b.tail}; }
Six operator*(float s, Six a) { return {s * a.head, s * a.tail}; }
float dot(Six a, Six b) { return add_four(a.head * b.head + a.tail * b.tail); }

// The quintic B-spline on [0, 1) from its second and third knot, times 120.
float outer_piece(float t) { return 26 + t * (-50 + t * (20 + t * (20 + t * (-20 + 5 * t)))); }
float middle_piece(float t) { return 66 + t * t * (-60 + t * t * (30 - 10 * t)); }
float outer_slope(float t) { return -50 + t * (40 + t * (60 + t * (-80 + 25 * t))); }
float middle_slope(float t) { return t * (-120 + t * t * (120 - 50 * t)); }

// What the six nodes around have of a point that is t past the third.
Six spline(float t) {
  constexpr float kShare = 1.0f / 120;
  const float s = 1 - t, s2 = s * s, t2 = t * t;
  const float a = kShare * s2 * s2 * s, b = kShare * outer_piece(t), c = kShare * middle_piece(t),
              e = kShare * outer_piece(s), f = kShare * t2 * t2 * t;
  return {Four{a, b, c, 1 - a - b - c - e - f}, Four{e, f, 0, 0}};
}

Six spline_slope(float t) {
  constexpr float kShare = 1.0f / 120;
  const float s = 1 - t, s2 = s * s, t2 = t * t;
  const float a = -s2 * s2 / 24, b = kShare * outer_slope(t), c = kShare * middle_slope(t),
              e = -kShare * outer_slope(s), f = t2 * t2 / 24;
  return {Four{a, b, c, -a - b - c - e - f}, Four{e, f, 0, 0}};
}

}  // namespace

double GridRepulsion::operator()(std::span<const MapPoint> y, std::span<MapPoint> push, const Run& run) {
  const Cell last = lay(y);
  const double nodes = static_cast<double>(last.column + kTouched) * static_cast<double>(last.row + kTouched);
  // About what the passes took, measured for maps of 1 to 200 units of 2,000 to 32,000 points.
  const Run own = run_for((static_cast<double>(y.size()) / 8 + nodes / 40) / kPasses, run);
  grid_.prepare(last.column + kTouched, last.row + kTouched, spacing_, own);
  sort(y);
  spread(y, own);
  grid_.convolve(own);
  return gather(y, push, own);
}

GridRepulsion::Cell GridRepulsion::lay(std::span<const MapPoint> y) {
  MapPoint low = y[0], high = y[0];
  for (const MapPoint p : y) {
    low = {std::min(low.x, p.x), std::min(low.y, p.y)};
    high = {std::max(high.x, p.x), std::max(high.y, p.y)};
  }
  origin_ = low;
  spacing_ = std::max(kSpacing, std::max(high.x - low.x, high.y - low.y) / kMostNodes);
  return cell(high);
}

GridRepulsion::Cell GridRepulsion::cell(MapPoint p) const {
  const float x = (p.x - origin_.x) / spacing_, y = (p.y - origin_.y) / spacing_;
  const auto column = static_cast<std::uint32_t>(x), row = static_cast<std::uint32_t>(y);
  return {column, row, x - static_cast<float>(column), y - static_cast<float>(row)};
}

void GridRepulsion::sort(std::span<const MapPoint> y) {
  const auto strip_of = [&](MapPoint p) { return cell(p).row / kRows; };
  strip_first_.assign(grid_.strips() + 1, 0);
  for (const MapPoint p : y) ++strip_first_[strip_of(p) + 1];
  for (Index s = 0; s < grid_.strips(); ++s) strip_first_[s + 1] += strip_first_[s];
  std::vector<Index> at(strip_first_.begin(), strip_first_.end() - 1);
  order_.resize(y.size());
  for (Index i = 0; i < y.size(); ++i) order_[at[strip_of(y[i])]++] = static_cast<std::uint32_t>(i);
}

void GridRepulsion::spread(std::span<const MapPoint> y, const Run& run) {
  for_chunks(run, grid_.strips(), 1, [&](Index s, Index, Index) {
    const std::span<float> strip = grid_.strip(s);
    std::fill(strip.begin(), strip.end(), 0.0f);
    for (Index o = strip_first_[s]; o < strip_first_[s + 1]; ++o) {
      const Cell c = cell(y[order_[o]]);
      const Six along = spline(c.x), across = spline(c.y);
      float* node = strip.data() + c.column * kWidth + c.row % kRows;
      for (Index i = 0; i < kTouched; ++i, node += kWidth) (Six::load(node) + along[i] * across).store(node);
    }
  });
}

double GridRepulsion::gather(std::span<const MapPoint> y, std::span<MapPoint> push, const Run& run) const {
  return fold_chunks(
      run, y.size(), kGrain, 0.0,
      [&](Index first, Index last) {
        double sum = 0;
        for (Index o = first; o < last; ++o) {
          const Cell c = cell(y[order_[o]]);
          const Six along = spline(c.x), slope = spline_slope(c.x), across = spline(c.y);
          const float* node = grid_.strip(c.row / kRows).data() + c.column * kWidth + c.row % kRows;
          Six value{}, rise{};  // along the row
          for (Index i = 0; i < kTouched; ++i, node += kWidth) {
            const Six potential = Six::load(node);
            value = value + along[i] * potential;
            rise = rise + slope[i] * potential;
          }
          const float half = -0.5f / spacing_;
          push[order_[o]] = {half * dot(rise, across), half * dot(value, spline_slope(c.y))};
          sum += dot(value, across) - 1;  // without the point itself
        }
        return sum;
      },
      [](double& total, double part) { total += part; });
}

}  // namespace shoal
