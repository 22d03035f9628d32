#pragma once

#include <span>
#include <vector>

#include "shoal/core/matrix.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"

namespace shoal {

/// Memory that `UnitRows::block` may fill; one a thread.
struct UnitScratch {
  Matrix converted, scaled;
};

/// Rows scaled to length 1 as they are read. Rows that are unit within rounding are passed on untouched, so
/// that unit float32 rows are never copied. Keeps 8 bytes a row; shares the rows.
class UnitRows {
 public:
  /// Reads every row once. Error(data) naming the first row that holds a NaN or an infinity.
  UnitRows(const Rows& x, const Run& run);

  Index rows() const { return x_.rows(); }
  Index cols() const { return x_.cols(); }
  bool zero(Index row) const { return scale_[row] == 0; }  ///< a row of zeros points nowhere
  /// Rows [first, first + count), each of length 1 or all zero.
  MatrixView block(Index first, Index count, UnitScratch& scratch) const;

 private:
  Rows x_;
  std::vector<double> scale_;  // 1 / length; 1: unit already; 0: a row of zeros
};

/// 1 / length of a row; exactly 1 if it is unit within rounding, 0 if it is all zero, NaN if it is not
/// finite.
double unit_scale(std::span<const float> row);

}  // namespace shoal
