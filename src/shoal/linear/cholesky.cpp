#include "shoal/linear/cholesky.h"

#include <Eigen/Cholesky>
#include <cmath>
#include <utility>

#include "shoal/core/error.h"

namespace shoal {
namespace {

using RowMajor = ::Eigen::Matrix<double, ::Eigen::Dynamic, ::Eigen::Dynamic, ::Eigen::RowMajor>;

::Eigen::Map<const RowMajor> square(const std::vector<double>& values, std::size_t d) {
  const auto side = static_cast<::Eigen::Index>(d);
  return {values.data(), side, side};
}

::Eigen::Map<::Eigen::VectorXd> vector(std::span<double> b) {
  return {b.data(), static_cast<::Eigen::Index>(b.size())};
}

}  // namespace

Cholesky::Cholesky(std::vector<double> matrix, Index d, double least) : lower_(std::move(matrix)) {
  require(lower_.size() == d * d && least > 0, Fault::argument,
          "cholesky: the matrix is not square, or `least` is not above 0");
  const auto side = static_cast<::Eigen::Index>(d);
  for (Index i = 0; i < d; ++i)
    for (Index j = 0; j <= i; ++j)
      require(std::isfinite(lower_[i * d + j]), Fault::data, "cholesky: the matrix is not finite");
  for (double raised = 0; d > 0; raised = raised > 0 ? 10 * raised : least) {
    RowMajor raising = square(lower_, d);
    raising.diagonal().array() += raised;
    require(raising.diagonal().allFinite(), Fault::data, "cholesky: the matrix is not finite");
    const ::Eigen::LLT<::Eigen::Ref<RowMajor>, ::Eigen::Lower> factor(raising);  // in place
    if (factor.info() != ::Eigen::Success) continue;
    ::Eigen::Map<RowMajor>(lower_.data(), side, side) = raising;
    return;
  }
}

void Cholesky::solve_lower(std::span<double> b) const {
  auto x = vector(b);
  square(lower_, b.size()).triangularView<::Eigen::Lower>().solveInPlace(x);
}

void Cholesky::solve_transposed(std::span<double> b) const {
  auto x = vector(b);
  square(lower_, b.size()).transpose().triangularView<::Eigen::Upper>().solveInPlace(x);
}

void Cholesky::multiply_transposed(std::span<double> b) const {
  auto x = vector(b);
  const ::Eigen::VectorXd product = square(lower_, b.size()).transpose().triangularView<::Eigen::Upper>() * x;
  x = product;
}

}  // namespace shoal
