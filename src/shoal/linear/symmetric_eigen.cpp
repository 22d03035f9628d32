#include "shoal/linear/symmetric_eigen.h"

#include <Eigen/Eigenvalues>
#include <cmath>
#include <string>

#include "shoal/core/error.h"

namespace shoal {
namespace {

using RowMajor = ::Eigen::Matrix<double, ::Eigen::Dynamic, ::Eigen::Dynamic, ::Eigen::RowMajor>;

/// Turns a vector so that its component of largest magnitude (first of equals) is positive.
void fix_sign(std::span<double> v) {
  std::size_t largest = 0;
  for (std::size_t i = 1; i < v.size(); ++i)
    if (std::fabs(v[i]) > std::fabs(v[largest])) largest = i;
  if (!v.empty() && v[largest] < 0)
    for (double& x : v) x = -x;
}

}  // namespace

EigenPairs symmetric_eigen(std::span<const double> matrix, Index d) {
  require(matrix.size() == d * d, Fault::argument,
          "symmetric_eigen: " + std::to_string(matrix.size()) + " values are not a square matrix of side " +
              std::to_string(d));
  for (Index i = 0; i < matrix.size(); ++i)
    if (!std::isfinite(matrix[i]))
      throw Error(Fault::data, "symmetric_eigen: the value at row " + std::to_string(i / d) + ", column " +
                                   std::to_string(i % d) + " is not finite");
  EigenPairs out{std::vector<double>(d), std::vector<double>(d * d)};
  if (d == 0) return out;

  const auto side = static_cast<::Eigen::Index>(d);
  const ::Eigen::SelfAdjointEigenSolver<RowMajor> solver(
      ::Eigen::Map<const RowMajor>(matrix.data(), side, side));
  require(solver.info() == ::Eigen::Success, Fault::data, "symmetric_eigen: the iteration did not converge");
  for (Index i = 0; i < d; ++i) {
    const ::Eigen::Index from = side - 1 - static_cast<::Eigen::Index>(i);  // Eigen's order is ascending
    out.values[i] = solver.eigenvalues()[from];
    const std::span<double> v(out.vectors.data() + i * d, d);
    for (Index j = 0; j < d; ++j) v[j] = solver.eigenvectors()(static_cast<::Eigen::Index>(j), from);
    fix_sign(v);
  }
  return out;
}

}  // namespace shoal
