#include "shoal/reduce/tsne/tsne_grid_impl.h"

#include <algorithm>

#include "shoal/core/chunks.h"
#include "shoal/reduce/tsne/four_impl.h"

namespace shoal {
namespace {

constexpr float kSpacing = 1.0f / 3;
constexpr float kMostNodes = 3000;  // in a direction; nodes of a larger map lie further apart
constexpr Index kTouched = 6;       // nodes in a direction
constexpr Index kGrain = 2048;      // points a chunk when they gather
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

// A point's places between nodes and what is left of them, so that both directions are worked out at once.
Four places(float x, float y) { return Four{x, 1 - x, y, 1 - y}; }

// What the six nodes around, in one direction, have of a point that is t past the third. From the pieces of
// the quintic B-spline for t and 1 - t, that of the fourth node left out: all of them add up to `sum`.
Six nodes(Four first, Four second, Four third, float sum, int t) {
  const float a = first[t + 1], b = second[t], c = third[t], e = second[t + 1], f = first[t];
  return {Four{a, b, c, sum - a - b - c - e - f}, Four{e, f, 0, 0}};
}

struct Splines {
  Six x, y;
};

Splines splines(Four u) {
  constexpr float kShare = 1.0f / 120;
  const Four u2 = u * u, first = kShare * u2 * u2 * u,
             second = kShare * (26 + u * (-50 + u * (20 + u * (20 + u * (-20 + 5 * u))))),
             third = kShare * (66 + u2 * (-60 + u2 * (30 - 10 * u)));
  return {nodes(first, second, third, 1, 0), nodes(first, second, third, 1, 2)};
}

Splines slopes(Four u) {
  constexpr float kShare = 1.0f / 120;
  // Of 1 - t they have the other sign.
  const Four sign{1, -1, 1, -1};
  const Four u2 = u * u, first = sign * u2 * u2 / 24,
             second = sign * kShare * (-50 + u * (40 + u * (60 + u * (-80 + 25 * u)))),
             third = sign * kShare * u * (-120 + u2 * (120 - 50 * u));
  return {nodes(first, second, third, 0, 0), nodes(first, second, third, 0, 2)};
}

}  // namespace

double GridRepulsion::operator()(std::span<const MapPoint> y, std::span<MapPoint> push, const Run& run) {
  const Cell last = lay(y);
  grid_.prepare(last.column + kTouched, last.row + kTouched, spacing_, run);
  sort(y);
  spread(y, run);
  grid_.convolve(run);
  return gather(y, push, run);
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
      const auto [along, across] = splines(places(c.x, c.y));
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
          const Four u = places(c.x, c.y);
          const auto [along, across] = splines(u);
          const auto [slope_along, slope_across] = slopes(u);
          const float* node = grid_.strip(c.row / kRows).data() + c.column * kWidth + c.row % kRows;
          Six value{}, rise{};  // along the row
          for (Index i = 0; i < kTouched; ++i, node += kWidth) {
            const Six potential = Six::load(node);
            value = value + along[i] * potential;
            rise = rise + slope_along[i] * potential;
          }
          const float half = -0.5f / spacing_;
          push[order_[o]] = {half * dot(rise, across), half * dot(value, slope_across)};
          sum += dot(value, across) - 1;  // without the point itself
        }
        return sum;
      },
      [](double& total, double part) { total += part; });
}

}  // namespace shoal
