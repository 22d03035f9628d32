#include <algorithm>
#include <cmath>
#include <limits>

#include "shoal/cluster/unit_rows_impl.h"
#include "shoal/core/chunks.h"
#include "shoal/kernels/kernels.h"
#include "shoal/linear/norms.h"

namespace shoal {
namespace {

constexpr Index kGrain = 2048;
constexpr float kUnit = 2e-6f;  // |length^2 - 1| that counts as rounding; AngleTable allows for it

void scale_row(std::span<const float> from, double scale, std::span<float> to) {
  for (Index j = 0; j < from.size(); ++j) to[j] = static_cast<float>(from[j] * scale);
}

}  // namespace

double unit_scale(std::span<const float> row) {
  const float rough = kernels().dot(row.data(), row.data(), row.size());
  if (std::abs(rough - 1.0f) <= kUnit) return 1;
  double sum = 0;  // in double: squares of floats neither overflow nor vanish there
  for (const float v : row) sum += static_cast<double>(v) * v;
  if (sum == 0) return 0;
  return std::isfinite(sum) ? 1 / std::sqrt(sum) : std::numeric_limits<double>::quiet_NaN();
}

UnitRows::UnitRows(const Rows& x, const Run& run) : x_(x), scale_(x.rows()) {
  for_chunks(run, x.rows(), kGrain, [&](Index, Index first, Index last) {
    Matrix scratch;
    const MatrixView block = x_.block(first, last - first, scratch);
    for (Index i = first; i < last; ++i) scale_[i] = unit_scale(block[i - first]);
  });
  if (std::ranges::any_of(scale_, [](double v) { return std::isnan(v); })) check_finite(x, run);
}

MatrixView UnitRows::block(Index first, Index count, UnitScratch& scratch) const {
  const MatrixView raw = x_.block(first, count, scratch.converted);
  const auto scale = std::span(scale_).subspan(first, count);
  if (std::ranges::all_of(scale, [](double s) { return s == 0 || s == 1; })) return raw;
  if (scratch.scaled.rows() < count) scratch.scaled = Matrix(count, cols());
  for (Index r = 0; r < count; ++r) scale_row(raw[r], scale[r], scratch.scaled[r]);
  return scratch.scaled.view().slice(0, count);
}

}  // namespace shoal
