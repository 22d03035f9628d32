#include "shoal/linear/procrustes.h"

#include <algorithm>
#include <cmath>

#include "shoal/linear/product.h"
#include "shoal/linear/symmetric_eigen.h"

namespace shoal {

std::vector<double> cross_products(const Matrix& a, const Matrix& b) {
  constexpr Index kBlock = 256;
  std::vector<double> out(a.cols() * b.cols());
  for (Index first = 0; first < a.rows(); first += kBlock) {
    const Index n = std::min(kBlock, a.rows() - first);
    Matrix turned(a.cols(), n), part(a.cols(), b.cols());
    for (Index i = 0; i < n; ++i)
      for (Index j = 0; j < a.cols(); ++j) turned[j][i] = a[first + i][j];
    multiply(turned.view(), Packed::columns(b.view().slice(first, n)), {}, Activation::none, part.span());
    for (Index i = 0; i < out.size(); ++i) out[i] += part.data()[i];
  }
  return out;
}

Matrix procrustes(const Matrix& x, const Matrix& y) {
  const Index a = x.cols(), b = y.cols();
  const auto m = cross_products(x, y);  // a x b
  std::vector<double> squared(b * b);
  for (Index r = 0; r < a; ++r)
    for (Index i = 0; i < b; ++i)
      for (Index j = 0; j < b; ++j) squared[i * b + j] += m[r * b + i] * m[r * b + j];
  const EigenPairs pairs = symmetric_eigen(squared, b);
  std::vector<double> out(b * a), left(a);
  for (Index k = 0; k < std::min(a, b); ++k) {
    if (!(pairs.values[k] > 1e-12 * pairs.values[0])) break;
    const double* v = pairs.vectors.data() + k * b;
    for (Index r = 0; r < a; ++r) {
      double sum = 0;
      for (Index i = 0; i < b; ++i) sum += m[r * b + i] * v[i];
      left[r] = sum / std::sqrt(pairs.values[k]);
    }
    for (Index i = 0; i < b; ++i)
      for (Index r = 0; r < a; ++r) out[i * a + r] += v[i] * left[r];
  }
  Matrix rounded(b, a);
  std::ranges::transform(out, rounded.data(), [](double v) { return static_cast<float>(v); });
  return rounded;
}

}  // namespace shoal
