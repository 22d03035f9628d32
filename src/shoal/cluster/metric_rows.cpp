#include "shoal/cluster/metric_rows_impl.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/kernels/kernels.h"
#include "shoal/linear/norms.h"

namespace shoal {
namespace {

constexpr Index kGrain = 2048;
constexpr float kUnit = 2e-6f;  // |length^2 - 1| that counts as rounding; AngleTable allows for it

double squares(std::span<const float> row) {
  double sum = 0;  // in double: squares of floats neither overflow nor vanish there
  for (const float v : row) sum += static_cast<double>(v) * v;
  return sum;
}

/// Mean over the rows of the squared length.
double mean_square(const Rows& x, const Run& run) {
  const auto sum = [&](Index first, Index last) {
    Matrix scratch;
    const MatrixView block = x.block(first, last - first, scratch);
    double total = 0;
    for (Index r = 0; r < block.rows; ++r) total += squares(block[r]);
    return total;
  };
  const double total =
      fold_chunks(run, x.rows(), kGrain, 0.0, sum, [](double& all, double part) { all += part; });
  return total / static_cast<double>(std::max<Index>(1, x.rows()));
}

/// The mean is taken off where the rows lie further from the origin than from each other; the scale brings
/// the spread to about 1 if it is beyond 2^-30..2^30.
ShiftScale frame_of(const Rows& x, const Run& run) {
  constexpr int kFar = 30;
  const std::vector<double> mean = column_means(x, run);
  const double square = mean_square(x, run);
  if (!std::isfinite(square)) check_finite(x, run);
  const double mean_squared = std::inner_product(mean.begin(), mean.end(), mean.begin(), 0.0);
  ShiftScale frame;
  double spread = square;
  if (mean_squared > square - mean_squared) {
    for (const double m : mean) frame.shift.push_back(static_cast<float>(m));
    spread = std::max(square - mean_squared, square * 1e-15);  // the difference of two that round
  }
  const int exponent = spread > 0 ? std::ilogb(spread) / 2 : 0;
  if (std::abs(exponent) > kFar) frame.scale = std::ldexp(1.0f, std::clamp(-exponent, -126, 126));
  return frame;
}

}  // namespace

double unit_scale(std::span<const float> row) {
  const float rough = kernels().dot(row.data(), row.data(), row.size());
  if (std::abs(rough - 1.0f) <= kUnit) return 1;
  const double sum = squares(row);
  if (sum == 0) return 0;
  return std::isfinite(sum) ? 1 / std::sqrt(sum) : std::numeric_limits<double>::quiet_NaN();
}

MetricRows::MetricRows(const Rows& x, Metric metric, const Run& run) : x_(x), metric_(metric) {
  if (metric == Metric::euclidean) frame_ = frame_of(x, run);
  measure(run);
}

MetricRows::MetricRows(const Rows& x, const ShiftScale& frame, const Run& run)
    : x_(x), metric_(Metric::euclidean), frame_(frame) {
  measure(run);
}

void MetricRows::measure(const Run& run) {
  const bool cosine = metric_ == Metric::cosine;
  if (cosine)
    scale_.resize(rows());
  else
    squared_.resize(rows());
  for_chunks(run, rows(), kGrain, [&](Index, Index first, Index last) {
    RowScratch scratch;
    const MatrixView raw = x_.block(first, last - first, scratch.converted);
    const MatrixView x = cosine ? raw : framed_block(raw, scratch);
    for (Index i = first; i < last; ++i) {
      const auto row = x[i - first];
      if (cosine)
        scale_[i] = unit_scale(row);
      else
        squared_[i] = kernels().dot(row.data(), row.data(), row.size());
    }
  });
  if (std::ranges::any_of(scale_, [](double v) { return std::isnan(v); })) check_finite(x_, run);
  const auto bad = std::ranges::find_if(squared_, [](float v) { return !std::isfinite(v); });
  if (bad == squared_.end()) return;
  check_finite(x_, run);
  throw Error(Fault::data, "row " + std::to_string(bad - squared_.begin()) +
                               " lies so far from the rows of the fit that its squared distance overflows");
}

MatrixView MetricRows::block(Index first, Index count, RowScratch& scratch) const {
  const MatrixView raw = x_.block(first, count, scratch.converted);
  return metric_ == Metric::cosine ? unit_block(raw, first, scratch) : framed_block(raw, scratch);
}

MatrixView MetricRows::unit_block(MatrixView raw, Index first, RowScratch& scratch) const {
  const auto scale = std::span(scale_).subspan(first, raw.rows);
  if (std::ranges::all_of(scale, [](double s) { return s == 0 || s == 1; })) return raw;
  if (scratch.moved.rows() < raw.rows) scratch.moved = Matrix(raw.rows, cols());
  for (Index r = 0; r < raw.rows; ++r) {
    const std::span<const float> from = raw[r];
    const std::span<float> to = scratch.moved[r];
    for (Index j = 0; j < from.size(); ++j) to[j] = static_cast<float>(from[j] * scale[r]);
  }
  return scratch.moved.view().slice(0, raw.rows);
}

MatrixView MetricRows::framed_block(MatrixView raw, RowScratch& scratch) const {
  if (frame_.shift.empty() && frame_.scale == 1) return raw;
  if (scratch.moved.rows() < raw.rows) scratch.moved = Matrix(raw.rows, cols());
  for (Index r = 0; r < raw.rows; ++r) {
    const std::span<const float> from = raw[r];
    const std::span<float> to = scratch.moved[r];
    if (frame_.shift.empty())
      for (Index j = 0; j < from.size(); ++j) to[j] = from[j] * frame_.scale;
    else
      for (Index j = 0; j < from.size(); ++j) to[j] = (from[j] - frame_.shift[j]) * frame_.scale;
  }
  return scratch.moved.view().slice(0, raw.rows);
}

}  // namespace shoal
