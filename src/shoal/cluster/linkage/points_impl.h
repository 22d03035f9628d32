#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "shoal/core/matrix.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"
#include "shoal/near/metric_rows_impl.h"

namespace shoal {

/// The distinct rows that joining starts from, in the frame in which they are compared:
///   cosine: rows of length 1; rows are equal if these are, in float32.
///   euclidean: rows minus the mean, divided by a power of two that leaves no number above 1.
/// Points are numbered by their lowest row.
class Points {
 public:
  /// Error(data) naming the first row that holds a NaN or an infinity.
  Points(const Rows& x, Metric metric, const Run& run);

  Index count() const { return lowest_.size(); }
  Index cols() const { return rows_.cols(); }
  Metric metric() const { return rows_.metric(); }
  /// Length 1 of the frame in the caller's units.
  double unit() const { return 1 / static_cast<double>(rows_.frame().scale); }
  /// The points rounded to float32, to be changed by whoever joins them: count x d.
  MatrixSpan floats() { return floats_.span().slice(0, count()); }
  /// One point in double, from the caller's rows.
  void read(Index point, std::span<double> out) const;

  Index lowest_row(Index point) const { return lowest_[point]; }
  /// Which point each row is.
  const std::vector<std::uint32_t>& of_rows() const { return point_; }

 private:
  void find_equal_rows(const Run& run);

  MetricRows rows_;
  Matrix floats_;
  std::vector<std::uint32_t> lowest_, point_;
};

}  // namespace shoal
