#include "shoal/cluster/kmeans/center_bounds_impl.h"

#include <algorithm>
#include <cmath>

#include "shoal/kernels/kernels.h"

namespace shoal {
namespace {

constexpr Angle kFurthest = 2 * kRightAngle;
constexpr double kUnits = 2048;  // of a usual distance: four times as far is no limit any more

}  // namespace

CenterBounds::CenterBounds(const Nearness& nearness, Index dims)
    : nearness_(nearness),
      cosine_(nearness.metric() == Metric::cosine),
      angles_(nearness.metric() == Metric::cosine ? dims : 0) {}

void CenterBounds::set_unit(double distance, double longest) {
  per_unit_ = kUnits / std::max({distance, longest * 1e-9, 1e-30});
}

void CenterBounds::at_least(float squared_length, std::span<const float> scores, Angle* bounds) const {
  if (cosine_) return angles_.at_least(scores, bounds);
  const float length = std::sqrt(squared_length) * (1 + 1e-6f);
  const float per_unit = static_cast<float>(per_unit_ * (1 - 1e-6));
  for (Index c = 0; c < scores.size(); ++c) {
    const float least = squared_length - 2 * scores[c] - nearness_.slack(length, c);
    const float units = std::sqrt(least > 0 ? least : 0) * per_unit;
    bounds[c] = static_cast<Angle>(units < kFurthest ? units : kFurthest);
  }
}

Angle CenterBounds::at_least(float closeness) const {
  if (cosine_) return angles_.at_least(closeness);
  const double units = std::sqrt(-closeness * std::max(0.0, 1.0 - nearness_.rounding())) * per_unit_;
  return static_cast<Angle>(std::min<double>(units, kFurthest));
}

// The limit also grows by what the own centroid moves: at most kRightAngle in all, whose share of the
// rounding is added beforehand.
int CenterBounds::limit(float closeness) const {
  if (cosine_) return angles_.limit(closeness);
  const double rounding = nearness_.rounding();
  const double units = std::sqrt(std::max(0.0f, -closeness) * (1.0 + 2 * rounding)) * per_unit_;
  const double margin = 1 + 2.0 * rounding * kRightAngle;
  return static_cast<int>(std::min<double>(std::ceil(units + margin), kRightAngle));
}

Angle CenterBounds::step(std::span<const float> from, std::span<const float> to) const {
  if (cosine_) return AngleTable::step(from, to);
  const double squared = kernels().squared_distance(from.data(), to.data(), from.size());
  if (squared == 0 && std::ranges::equal(from, to)) return 0;
  const double units = std::ceil(std::sqrt(squared * (1.0 + nearness_.rounding())) * per_unit_ + 1e-6);
  return static_cast<Angle>(std::min<double>(units, kFurthest));
}

}  // namespace shoal
