#pragma once

#include <span>
#include <vector>

#include "shoal/core/matrix.h"

namespace shoal {

/// The lower triangle L of a symmetric positive definite matrix = L L^T, d x d, row-major; its lower triangle
/// alone is read. If rounding has made it indefinite, its diagonal is raised by `least`, then ten times as
/// much, until it is not. Error(argument) unless `matrix` is d x d and `least` above 0,
/// Error(data) for a NaN or an infinity. O(d^3).
class Cholesky {
 public:
  Cholesky() = default;
  Cholesky(std::vector<double> matrix, Index d, double least);

  void solve_lower(std::span<double> b) const;       // in and out: b becomes L^-1 b; O(d^2)
  void solve_transposed(std::span<double> b) const;  // in and out: b becomes L^-T b
  /// Undoes solve_transposed.
  void multiply_transposed(std::span<double> b) const;  // in and out: b becomes L^T b; O(d^2)

 private:
  std::vector<double> lower_;  // above its diagonal: what was there
};

}  // namespace shoal
