#include "shoal/linear/cholesky.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "shoal/core/random.h"
#include "tests/error_of.h"

namespace shoal {
namespace {

TEST(Cholesky, ByHand) {  // L = 2 0, 3 1
  const Cholesky factor({4, -99, 6, 10}, 2, 1e-9);
  std::vector<double> b{2, 5};
  factor.solve_lower(b);
  EXPECT_NEAR(b[0], 1, 1e-15);
  EXPECT_NEAR(b[1], 2, 1e-15);
  b = {5, 2};
  factor.solve_transposed(b);
  EXPECT_NEAR(b[0], -0.5, 1e-15);
  EXPECT_NEAR(b[1], 2, 1e-15);
}

TEST(Cholesky, BothHalvesSolveTheEquation) {
  for (const Index d : {1, 5, 130}) {
    const Random random(Seed{d});
    std::vector<double> roots(d * d), matrix(d * d);
    for (Index i = 0; i < d * d; ++i) roots[i] = random.normal(i);
    for (Index i = 0; i < d; ++i)
      for (Index j = 0; j < d; ++j)
        for (Index k = 0; k < d; ++k) matrix[i * d + j] += roots[i * d + k] * roots[j * d + k] + (i == j);
    const Cholesky factor(matrix, d, 1e-9);
    std::vector<double> b(d);
    for (Index i = 0; i < d; ++i) b[i] = random.normal(d * d + i);
    std::vector<double> x = b;
    factor.solve_lower(x);
    factor.solve_transposed(x);
    for (Index i = 0; i < d; ++i) {
      double sum = 0;
      for (Index j = 0; j < d; ++j) sum += matrix[i * d + j] * x[j];
      EXPECT_NEAR(sum, b[i], 1e-10);
    }
  }
}

TEST(Cholesky, WhatRoundingMadeIndefiniteIsRaised) {
  const Cholesky factor({1, 0, 1, 1 - 1e-12}, 2, 1e-10);
  std::vector<double> b{1, 1};
  factor.solve_lower(b);
  EXPECT_NEAR(b[0], 1, 1e-9);
  EXPECT_TRUE(std::isfinite(b[1]));
}

TEST(Cholesky, RefusesWhatIsNotSquare) {
  EXPECT_EQ(fault_of([] { Cholesky({1, 2, 3}, 2, 1); }), Fault::argument);
  EXPECT_EQ(fault_of([] { Cholesky({1}, 1, 0); }), Fault::argument);
  EXPECT_EQ(fault_of([] { Cholesky({std::nan("")}, 1, 1); }), Fault::data);
}

}  // namespace
}  // namespace shoal
