#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "shoal/core/matrix.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"
#include "shoal/near/exact.h"

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
  Index cols() const { return source_.cols(); }
  Metric metric() const { return metric_; }
  /// Length 1 of the frame in the caller's units.
  double unit() const { return unit_; }
  /// The points rounded to float32, to be changed by whoever joins them: count x d.
  MatrixSpan floats() { return floats_.span().slice(0, count()); }
  /// One point in double, from the caller's rows.
  void read(Index point, std::span<double> out) const;

  Index lowest_row(Index point) const { return lowest_[point]; }
  /// Which point each row is.
  const std::vector<std::uint32_t>& of_rows() const { return point_; }

 private:
  void to_unit_length(const Run& run);
  void find_equal_rows(const Run& run);
  void to_mean(const Run& run);

  Rows source_;
  Metric metric_;
  Matrix floats_;
  std::vector<std::uint32_t> lowest_, point_;
  std::vector<double> scale_;  // of each row, cosine: 1 / length; 0 for a row of zeros
  std::vector<double> mean_;   // euclidean
  double unit_ = 1;
};

}  // namespace shoal
