#include "shoal/linear/truncated_svd.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "shoal/core/error.h"
#include "shoal/core/rows.h"
#include "shoal/linear/product.h"
#include "shoal/linear/symmetric_eigen.h"

namespace shoal {
namespace {

/// Rows with 12 entries each; columns of small numbers are frequent, as words are.
SparseRows drawn(Index rows, Index cols) {
  const Random random({7});
  SparseRows x{.cols = cols};
  for (Index i = 0; i < rows; ++i) {
    std::vector<std::uint32_t> of;
    for (Index e = 0; e < 12; ++e) {
      const double u = random.uniform(i * 24 + 2 * e);
      of.push_back(static_cast<std::uint32_t>(u * u * u * static_cast<double>(cols)));
    }
    std::ranges::sort(of);
    of.erase(std::unique(of.begin(), of.end()), of.end());
    for (const auto c : of) {
      x.columns.push_back(c);
      x.values.push_back(static_cast<float>(0.5 + random.uniform(i * 24 + c % 24)));
    }
    x.starts.push_back(x.columns.size());
  }
  return x;
}

Matrix dense(const SparseRows& x) {
  Matrix out(x.rows(), x.cols);
  for (Index i = 0; i < x.rows(); ++i)
    for (Index e = x.starts[i]; e < x.starts[i + 1]; ++e) out[i][x.columns[e]] = x.values[e];
  return out;
}

class Sizes : public testing::TestWithParam<Index> {};

TEST_P(Sizes, ValuesAreThoseOfTheDenseMatrix) {
  const SparseRows x = drawn(1500, GetParam());
  const TruncatedSvd svd = truncated_svd(x, 20, {1}, {});
  ASSERT_EQ(svd.singular_values.size(), 20u);
  const Matrix full = dense(x);
  const EigenPairs pairs = symmetric_eigen(gram(Rows(full), {}, {}), x.cols);
  for (Index j = 0; j < 20; ++j)
    EXPECT_NEAR(svd.singular_values[j], std::sqrt(pairs.values[j]), 2e-4 * std::sqrt(pairs.values[0])) << j;
  // Vectors: of length 1, at right angles, x^T x v = s^2 v.
  for (Index a = 0; a < 20; ++a)
    for (Index b = 0; b <= a; ++b) {
      double dot = 0;
      for (Index i = 0; i < x.cols; ++i)
        dot += static_cast<double>(svd.components[i][a]) * svd.components[i][b];
      EXPECT_NEAR(dot, a == b, 2e-5);
    }
  std::vector<double> y(x.rows()), z(x.cols);
  for (Index i = 0; i < x.rows(); ++i)
    for (Index e = x.starts[i]; e < x.starts[i + 1]; ++e)
      y[i] += static_cast<double>(x.values[e]) * svd.components[x.columns[e]][0];
  for (Index i = 0; i < x.rows(); ++i)
    for (Index e = x.starts[i]; e < x.starts[i + 1]; ++e) z[x.columns[e]] += x.values[e] * y[i];
  const double square = svd.singular_values[0] * svd.singular_values[0];
  for (Index i = 0; i < x.cols; ++i) EXPECT_NEAR(z[i] / square, svd.components[i][0], 1e-4);
}
INSTANTIATE_TEST_SUITE_P(Columns, Sizes, testing::Values(100, 512, 1200));

TEST(TruncatedSvd, SameBitsForAnyThreads) {
  const SparseRows x = drawn(3000, 700);
  const TruncatedSvd one = truncated_svd(x, 30, {1}, {.threads = 1}),
                     three = truncated_svd(x, 30, {1}, {.threads = 3});
  EXPECT_EQ(one.components, three.components);
  EXPECT_EQ(one.singular_values, three.singular_values);
}

TEST(TruncatedSvd, NoMoreThanTheRank) {
  SparseRows x{.cols = 600};  // two directions
  for (Index i = 0; i < 50; ++i) {
    x.columns.push_back(i % 2 ? 3 : 500);
    x.values.push_back(i % 2 ? 1.0f : 2.0f);
    x.starts.push_back(x.columns.size());
  }
  const TruncatedSvd svd = truncated_svd(x, 10, {1}, {});
  ASSERT_EQ(svd.singular_values.size(), 2u);
  EXPECT_NEAR(svd.singular_values[0], 10, 1e-4);
  EXPECT_NEAR(svd.singular_values[1], 5, 1e-4);
  EXPECT_NEAR(svd.components[500][0], 1, 1e-5);
  EXPECT_TRUE(truncated_svd({.cols = 600}, 3, {1}, {}).singular_values.empty());
}

TEST(TruncatedSvd, RefusesWhatIsNone) {
  SparseRows x{.cols = 2, .starts = {0, 1}, .columns = {2}, .values = {1}};
  EXPECT_THROW(truncated_svd(x, 1, {1}, {}), Error);
  x.columns = {1};
  EXPECT_THROW(truncated_svd(x, 0, {1}, {}), Error);
  x.values = {NAN};
  EXPECT_THROW(truncated_svd(x, 1, {1}, {}), Error);
}

}  // namespace
}  // namespace shoal
