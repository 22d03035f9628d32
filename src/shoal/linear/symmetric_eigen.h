#pragma once

#include <span>
#include <vector>

#include "shoal/core/matrix.h"

namespace shoal {

/// Eigenvalues (descending) and vectors (row i belongs to value i) of a symmetric d x d matrix in double,
/// row-major. The sign of each vector is fixed: its component of largest magnitude (first of equals) is
/// positive. Only the lower triangle is read. Error(argument) if `matrix` is not d x d, Error(data) if a
/// value is not finite. O(d^3).
struct EigenPairs {
  std::vector<double> values;
  std::vector<double> vectors;  ///< d x d, row i is the i-th vector
};
EigenPairs symmetric_eigen(std::span<const double> matrix, Index d);

}  // namespace shoal
