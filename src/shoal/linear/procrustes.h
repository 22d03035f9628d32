#pragma once

#include <vector>

#include "shoal/core/matrix.h"

namespace shoal {

/// a^T b in double, a.cols x b.cols; float products are summed over at most 256 rows before they go to
/// double. Both have as many rows.
std::vector<double> cross_products(const Matrix& a, const Matrix& b);

/// The rotation that turns the rows of x into those of y, as near as a rotation can (Schoenemann 1966):
/// y.cols x x.cols, rows of the map x -> A x. With x^T y = U S V^T it is V U^T; where a singular value is 0,
/// nothing. Both have as many rows. O(rows x.cols y.cols + y.cols^2 (x.cols + y.cols)).
Matrix procrustes(const Matrix& x, const Matrix& y);

}  // namespace shoal
