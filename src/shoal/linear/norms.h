#pragma once

#include <vector>

#include "shoal/core/matrix.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"

namespace shoal {

/// Scales each row to length 1, however short or long it was. A row of zeros stays zeros; a row with a NaN or
/// an infinity gets NaNs. Returns how many rows were zero.
Index unit_rows(MatrixSpan x);
/// Mean of each column, in double, folded in order. Error(data) naming the first row that holds a NaN or an
/// infinity.
std::vector<double> column_means(const Rows& x, const Run& run);
/// Error(data) naming the first row that holds a NaN or an infinity.
void check_finite(const Rows& x, const Run& run);
/// Error(data) unless the rows have `cols` columns and come from the space on which `what` was fitted.
void check_input(const Rows& x, Index cols, const Space& fitted, const char* what);
/// Error(data) unless both come from one model, or from unknown ones: `what` says who asks. Dimensions are
/// compared where the model is known.
void check_space(const Space& fitted, const Space& given, const char* what);

}  // namespace shoal
