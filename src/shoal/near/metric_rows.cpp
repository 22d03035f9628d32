#include "shoal/near/metric_rows_impl.h"

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
constexpr double kUnit = 2e-6;  // |length^2 - 1| that counts as rounding; AngleTable allows for it

/// In double: squares of floats neither overflow nor vanish there. In eight sums: one alone would wait for
/// each addition.
double squares(std::span<const float> row) {
  constexpr Index kSums = 8;
  double sum[kSums] = {};
  const Index whole = row.size() / kSums * kSums;
  for (Index j = 0; j < whole; j += kSums)
    for (Index s = 0; s < kSums; ++s) sum[s] += static_cast<double>(row[j + s]) * row[j + s];
  for (Index j = whole; j < row.size(); ++j) sum[j - whole] += static_cast<double>(row[j]) * row[j];
  return ((sum[0] + sum[4]) + (sum[2] + sum[6])) + ((sum[1] + sum[5]) + (sum[3] + sum[7]));
}

/// 1 / length; 0 for a row of zeros, NaN for one that is not finite.
double inverse_length(std::span<const float> row) {
  const double sum = squares(row);
  if (sum == 0) return 0;
  return std::isfinite(sum) ? 1 / std::sqrt(sum) : std::numeric_limits<double>::quiet_NaN();
}

void make_room(Matrix& out, MatrixView block) {
  if (out.rows() < block.rows || out.cols() != block.cols) out = Matrix(block.rows, block.cols);
}

bool unit(double scale) { return std::abs(scale - 1) <= kUnit / 2; }

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

/// The largest number of the rows minus `shift`.
float largest_number(const Rows& x, std::span<const float> shift, const Run& run) {
  const auto of_block = [&](Index first, Index last) {
    Matrix scratch;
    const MatrixView block = x.block(first, last - first, scratch);
    float most = 0;
    for (Index r = 0; r < block.rows; ++r)
      for (Index j = 0; j < block.cols; ++j) most = std::max(most, std::abs(block[r][j] - shift[j]));
    return most;
  };
  return fold_chunks(run, x.rows(), kGrain, 0.0f, of_block,
                     [](float& all, float part) { all = std::max(all, part); });
}

}  // namespace

double unit_scale(std::span<const float> row) {
  const double scale = inverse_length(row);
  return unit(scale) ? 1 : scale;
}

ShiftScale frame_at_mean(const Rows& x, const Run& run) {
  const std::vector<double> mean = column_means(x, run);
  return {std::vector<float>(mean.begin(), mean.end()), 1};
}

ShiftScale frame_within_one(const std::vector<Rows>& all, const Run& run) {
  ShiftScale frame = frame_at_mean(all[0], run);
  float most = 0;
  for (const Rows& x : all) most = std::max(most, largest_number(x, frame.shift, run));
  if (!std::isfinite(most)) {
    for (const Rows& x : all) check_finite(x, run);
    throw Error(Fault::data, "the rows' numbers are too large for float32");
  }
  int exponent = 0;
  std::frexp(most, &exponent);
  frame.scale = std::ldexp(1.0f, std::clamp(-exponent, -126, 126));
  return frame;
}

Rows as_rows(std::shared_ptr<const MetricRows> rows, Space space) {
  const Index count = rows->rows(), cols = rows->cols();
  const auto read = [rows = std::move(rows)](Index first, Index n, Matrix& out) -> MatrixView {
    RowScratch scratch;
    scratch.moved = std::move(out);
    const MatrixView block = rows->block(first, n, scratch);
    out = std::move(block.data == scratch.converted.data() ? scratch.converted : scratch.moved);
    return block;
  };
  return Rows(count, cols, Dtype::f32, read, std::move(space));
}

MetricRows::MetricRows(const Rows& x, Metric metric, const Run& run)
    : MetricRows(x, metric, metric == Metric::euclidean ? frame_of(x, run) : ShiftScale{}, run) {}

MetricRows::MetricRows(const Rows& x, Metric metric, const ShiftScale& frame, const Run& run)
    : x_(x), metric_(metric) {
  if (metric == Metric::euclidean) frame_ = frame;
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
        scale_[i] = inverse_length(row);
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
  if (std::ranges::all_of(scale, [](double s) { return s == 0 || unit(s); })) return raw;
  make_room(scratch.moved, raw);
  for (Index r = 0; r < raw.rows; ++r) {
    kernels().scaled(unit(scale[r]) ? 1 : scale[r], raw[r].data(), scratch.moved[r].data(), raw.cols);
  }
  return scratch.moved.view().slice(0, raw.rows);
}

MatrixView MetricRows::framed_block(MatrixView raw, RowScratch& scratch) const {
  if (frame_.shift.empty() && frame_.scale == 1) return raw;
  make_room(scratch.moved, raw);
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

void MetricRows::read(Index row, std::span<double> out, RowScratch& scratch) const {
  const std::span<const float> from = x_.block(row, 1, scratch.converted)[0];
  const double scale = metric_ == Metric::cosine ? scale_[row] : frame_.scale;
  if (frame_.shift.empty())
    for (Index j = 0; j < from.size(); ++j) out[j] = from[j] * scale;
  else
    for (Index j = 0; j < from.size(); ++j) out[j] = (static_cast<double>(from[j]) - frame_.shift[j]) * scale;
}

Matrix MetricRows::gather(const std::vector<Index>& which) const {
  Matrix found(which.size(), cols());
  RowScratch scratch;
  for (Index i = 0; i < which.size(); ++i)
    std::ranges::copy(block(which[i], 1, scratch)[0], found[i].begin());
  return found;
}

Matrix MetricRows::to_matrix() const {
  Matrix all(rows(), cols());
  RowScratch scratch;
  for (Index first = 0; first < rows(); first += kGrain) {
    const MatrixView part = block(first, std::min(kGrain, rows() - first), scratch);
    for (Index r = 0; r < part.rows; ++r) std::ranges::copy(part[r], all[first + r].begin());
  }
  return all;
}

}  // namespace shoal
