#include "shoal/reduce/tsne_grid_impl.h"

#include <algorithm>

#include "shoal/core/chunks.h"
#include "shoal/reduce/four_impl.h"

namespace shoal {
namespace {

constexpr float kSpacing = 1.0f / 3;
constexpr float kMostNodes = 3000;  // in a direction; nodes of a larger map lie further apart
constexpr Index kTouched = 4;       // nodes in a direction
constexpr Index kGrain = 2048;      // points a chunk when they gather
constexpr Index kRows = GridConvolution::kRows, kWidth = GridConvolution::kWidth;

// What the four nodes around have of a point that is t past the second.
Four spline(float t) {
  const float s = 1 - t;
  const float first = s * s * s / 6, last = t * t * t / 6;
  const float second = 2.0f / 3 - t * t + t * t * t / 2;
  return Four{first, second, 1 - first - second - last, last};
}

Four spline_slope(float t) {
  const float s = 1 - t;
  const float first = -s * s / 2, last = t * t / 2;
  const float second = t * (1.5f * t - 2);
  return Four{first, second, -first - second - last, last};
}

}  // namespace

double GridRepulsion::operator()(std::span<const MapPoint> y, std::span<MapPoint> push, const Run& run) {
  lay(y, run);
  sort(y);
  spread(y, run);
  grid_.convolve(run);
  return gather(y, push, run);
}

void GridRepulsion::lay(std::span<const MapPoint> y, const Run& run) {
  MapPoint low = y[0], high = y[0];
  for (const MapPoint p : y) {
    low = {std::min(low.x, p.x), std::min(low.y, p.y)};
    high = {std::max(high.x, p.x), std::max(high.y, p.y)};
  }
  origin_ = low;
  spacing_ = std::max(kSpacing, std::max(high.x - low.x, high.y - low.y) / kMostNodes);
  const Cell last = cell(high);
  grid_.prepare(last.column + kTouched, last.row + kTouched, spacing_, run);
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
      const Four along = spline(c.x), across = spline(c.y);
      float* node = strip.data() + c.column * kWidth + c.row % kRows;
      for (Index i = 0; i < kTouched; ++i, node += kWidth)
        store_four(node, load_four(node) + along[i] * across);
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
          const Four along = spline(c.x), slope = spline_slope(c.x), across = spline(c.y);
          const float* node = grid_.strip(c.row / kRows).data() + c.column * kWidth + c.row % kRows;
          Four value{}, rise{};  // along the row
          for (Index i = 0; i < kTouched; ++i, node += kWidth) {
            value += along[i] * load_four(node);
            rise += slope[i] * load_four(node);
          }
          const float half = -0.5f / spacing_;
          push[order_[o]] = {half * add_four(rise * across), half * add_four(value * spline_slope(c.y))};
          sum += add_four(value * across) - 1;  // without the point itself
        }
        return sum;
      },
      [](double& total, double part) { total += part; });
}

}  // namespace shoal
