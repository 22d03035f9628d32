#include "shoal/linear/symmetric_eigen.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "shoal/core/error.h"
#include "shoal/core/random.h"
#include "tests/error_of.h"

namespace {

using shoal::Index;

double dot(const double* a, const double* b, Index n) {
  double s = 0;
  for (Index i = 0; i < n; ++i) s += a[i] * b[i];
  return s;
}

TEST(SymmetricEigen, TwoByTwoByHand) {
  const shoal::EigenPairs e = shoal::symmetric_eigen(std::vector<double>{2, -1, -1, 2}, 2);
  ASSERT_EQ(e.values.size(), 2u);
  EXPECT_NEAR(e.values[0], 3, 1e-14);
  EXPECT_NEAR(e.values[1], 1, 1e-14);
  const double h = std::sqrt(0.5);
  EXPECT_NEAR(std::fabs(e.vectors[0]), h, 1e-14);
  EXPECT_NEAR(e.vectors[0], -e.vectors[1], 1e-14);
  EXPECT_NEAR(e.vectors[2], h, 1e-14);
  EXPECT_NEAR(e.vectors[3], h, 1e-14);
}

TEST(SymmetricEigen, VectorsSolveTheEquationAndAreOrthonormal) {
  for (const Index d : {1, 3, 17, 60}) {
    const shoal::Random random(shoal::Seed{d});
    std::vector<double> a(d * d);
    for (Index i = 0; i < d; ++i)
      for (Index j = 0; j <= i; ++j) a[i * d + j] = a[j * d + i] = random.normal(i * d + j);
    const shoal::EigenPairs e = shoal::symmetric_eigen(a, d);
    for (Index i = 0; i < d; ++i) {
      const double* v = e.vectors.data() + i * d;
      if (i > 0) {
        EXPECT_GE(e.values[i - 1], e.values[i]);
      }
      for (Index r = 0; r < d; ++r) EXPECT_NEAR(dot(a.data() + r * d, v, d), e.values[i] * v[r], 1e-12);
      for (Index j = 0; j < d; ++j) EXPECT_NEAR(dot(v, e.vectors.data() + j * d, d), i == j, 1e-13);
      Index largest = 0;
      for (Index j = 1; j < d; ++j)
        if (std::fabs(v[j]) > std::fabs(v[largest])) largest = j;
      EXPECT_GT(v[largest], 0);
    }
  }
}

TEST(SymmetricEigen, ZerosRepeatedValuesAndNothing) {
  const shoal::EigenPairs zeros = shoal::symmetric_eigen(std::vector<double>(16), 4);
  for (const double v : zeros.values) EXPECT_EQ(v, 0);
  const shoal::EigenPairs same = shoal::symmetric_eigen(std::vector<double>{5, 0, 0, 5}, 2);
  EXPECT_EQ(same.values, (std::vector<double>{5, 5}));
  EXPECT_TRUE(shoal::symmetric_eigen({}, 0).values.empty());
}

TEST(SymmetricEigen, RefusesWrongSizesAndNaN) {
  EXPECT_THROW(shoal::symmetric_eigen(std::vector<double>(5), 2), shoal::Error);
  const std::vector<double> bad = {1, 0, 0, std::numeric_limits<double>::quiet_NaN()};
  shoal::expect_error(shoal::Fault::data, "row 1, column 1", [&] { shoal::symmetric_eigen(bad, 2); });
}

}  // namespace
