#include "unit_variance.h"

#include <gtest/gtest.h>

#include <cmath>

#include "shoal/core/error.h"

namespace shoal {
namespace {

TEST(UnitVariance, AnswerMadeByHand) {
  Matrix x(2, 2);  // columns 1, 3 (mean 2, deviation 1) and 5, 5 (no deviation)
  x[0][0] = 1, x[1][0] = 3, x[0][1] = x[1][1] = 5;
  const Matrix y = UnitVariance::fit(x).transform(x);
  EXPECT_EQ(y[0][0], -1);
  EXPECT_EQ(y[1][0], 1);
  EXPECT_EQ(y[0][1], 0);
  EXPECT_EQ(y[1][1], 0);
}

TEST(UnitVariance, RefusesWhatItCannotDo) {
  EXPECT_THROW(UnitVariance::fit(Matrix(0, 2)), Error);
  EXPECT_THROW(UnitVariance::fit(Matrix(2, 2), {.least_deviation = 0}), Error);
  EXPECT_THROW(UnitVariance::fit(Matrix(2, 2)).transform(Matrix(2, 3)), Error);
}

// Threads, levels, files, NaN, slices, cancelling: tests/conformance asks them of every stage in its list.

}  // namespace
}  // namespace shoal
