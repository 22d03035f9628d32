#pragma once

#include <memory>
#include <span>
#include <vector>

#include "shoal/core/matrix.h"
#include "shoal/core/metric.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"
#include "shoal/near/shift_scale.h"

namespace shoal {

/// Memory that `MetricRows::block` may fill; one a thread.
struct RowScratch {
  Matrix converted, moved;
};

/// Rows as a metric wants them, made as they are read. Cosine: scaled to length 1; rows that are unit within
/// rounding are passed on untouched. Euclidean: moved into a frame; untouched if that moves nothing. So unit
/// float32 rows are never copied. Keeps 8 bytes a row (cosine) or 4 (Euclidean); shares the rows.
class MetricRows {
 public:
  /// Euclidean: in a frame chosen from the rows. Reads every row once or a few times. Error(data) naming the
  /// first row that holds a NaN or an infinity.
  MetricRows(const Rows& x, Metric metric, const Run& run);
  /// Euclidean: in the given frame. Error(data) also for a row so far away that its square overflows.
  MetricRows(const Rows& x, Metric metric, const ShiftScale& frame, const Run& run);

  Index rows() const { return x_.rows(); }
  Index cols() const { return x_.cols(); }
  Metric metric() const { return metric_; }
  const ShiftScale& frame() const { return frame_; }
  /// A row of zeros points nowhere: true under cosine only.
  bool zero(Index row) const { return metric_ == Metric::cosine && scale_[row] == 0; }
  /// As `dot` computes it, in the frame; under cosine 1.
  float squared_length(Index row) const { return metric_ == Metric::cosine ? 1 : squared_[row]; }
  /// Rows [first, first + count).
  MatrixView block(Index first, Index count, RowScratch& scratch) const;
  /// One row in double; under cosine its length is 1 but for the rounding of doubles.
  void read(Index row, std::span<double> out, RowScratch& scratch) const;
  /// Some rows, or all, in memory.
  Matrix gather(const std::vector<Index>& which) const;
  Matrix to_matrix() const;

 private:
  void measure(const Run& run);
  MatrixView unit_block(MatrixView raw, Index first, RowScratch& scratch) const;
  MatrixView framed_block(MatrixView raw, RowScratch& scratch) const;

  Rows x_;
  Metric metric_;
  ShiftScale frame_;
  std::vector<double> scale_;   // cosine: 1 / length; 0: a row of zeros
  std::vector<float> squared_;  // Euclidean
};

/// The same as Rows: what goes on from there need not know.
Rows as_rows(std::shared_ptr<const MetricRows> rows, Space space);

/// Minus the mean of the rows.
ShiftScale frame_at_mean(const Rows& x, const Run& run);
/// Minus the mean of the first of `all`, and no number of any of them above 1. Error(data) as MetricRows.
ShiftScale frame_within_one(const std::vector<Rows>& all, const Run& run);

/// 1 / length of a row; exactly 1 if it is unit within rounding, 0 if it is all zero, NaN if it is not
/// finite.
double unit_scale(std::span<const float> row);

}  // namespace shoal
