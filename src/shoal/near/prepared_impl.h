#pragma once

#include <vector>

#include "shoal/core/rows.h"
#include "shoal/core/run.h"
#include "shoal/near/metric_rows_impl.h"

namespace shoal {

/// Rows held in memory in the form in which a product of two rows tells how near they are.
///   cosine: rows of length 1 (rows of zeros stay);     score = a.b
///   euclidean: in a frame, by `frame_within_one` best; score = a.b - |a|^2/2 - |b|^2/2 = -|a - b|^2/2
/// Taking the mean away keeps the second form from cancelling when all rows lie far from the origin; the
/// power of two, which makes the largest number at most 1, keeps products from overflowing and costs no
/// precision.
struct Prepared {
  Prepared(const Rows& x, Metric metric, const ShiftScale& frame, const Run& run);

  MetricRows source;
  float unit;  ///< one unit of `rows` in the caller's units (euclidean)
  RowScratch owned;
  MatrixView rows;                 ///< the caller's own floats where they are usable as they are
  std::vector<float> half_square;  ///< |a|^2 / 2 of each row
};

/// Error(data) naming the first row with a NaN or infinity.
Prepared prepare(const Rows& x, Metric metric, const Run& run);

/// Both in one frame: scores of a row of the one with a row of the other are meant.
struct PreparedPair {
  Prepared rows, queries;
};
PreparedPair prepare(const Rows& x, const Rows& queries, Metric metric, const Run& run);

/// Turns products a.b into scores, in place. `first_row`, `first_column` say where in a and b the tile lies.
void products_to_scores(const Prepared& a, Index first_row, const Prepared& b, Index first_column,
                        MatrixSpan products);

/// Row i of a to row j of b, from their difference: exactly 0 for equal rows, and precise for near ones.
float distance(const Prepared& a, Index i, const Prepared& b, Index j);

}  // namespace shoal
