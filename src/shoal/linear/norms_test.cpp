#include "shoal/linear/norms.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "shoal/core/error.h"
#include "shoal/core/random.h"
#include "tests/error_of.h"

namespace {

using shoal::Index;
using shoal::Matrix;

Matrix draws(Index rows, Index cols, float size = 1) {
  const shoal::Random random(shoal::Seed{rows * 1000 + cols});
  Matrix x(rows, cols);
  for (Index i = 0; i < rows * cols; ++i) x.data()[i] = size * static_cast<float>(random.normal(i));
  return x;
}

double length(std::span<const float> row) {
  double s = 0;
  for (const float v : row) s += static_cast<double>(v) * v;
  return std::sqrt(s);
}

TEST(UnitRows, ThreeFourFive) {
  Matrix x(2, 2);
  x[0][0] = 3, x[0][1] = -4;
  EXPECT_EQ(shoal::unit_rows(x.span()), 1u);
  EXPECT_FLOAT_EQ(x[0][0], 0.6f);
  EXPECT_FLOAT_EQ(x[0][1], -0.8f);
  EXPECT_EQ(x[1][0], 0);
}

TEST(UnitRows, TinyAndHugeRowsKeepTheirDirection) {
  for (const float size : {1e-44f, 1e-39f, 1e-25f, 1e-15f, 1.0f, 1e15f, 1e30f, 3e38f}) {
    Matrix x(1, 4);
    for (Index i = 0; i < 4; ++i) x[0][i] = i % 2 ? -size : size;
    EXPECT_EQ(shoal::unit_rows(x.span()), 0u) << size;
    for (Index i = 0; i < 4; ++i) EXPECT_FLOAT_EQ(x[0][i], i % 2 ? -0.5f : 0.5f) << size;
  }
}

TEST(UnitRows, LengthsAreOneAndOnlyTheColumnsOfTheViewChange) {
  Matrix x = draws(20, 390);
  const Matrix before = x;
  shoal::unit_rows({x.data(), 20, 384, 390});
  for (Index r = 0; r < 20; ++r) {
    EXPECT_NEAR(length(x[r].first(384)), 1, 2e-7);
    for (Index c = 384; c < 390; ++c) EXPECT_EQ(x[r][c], before[r][c]);
  }
}

TEST(UnitRows, ARowWithNaNOrInfinityIsNotZero) {
  Matrix x(2, 3);
  x[0][1] = std::numeric_limits<float>::quiet_NaN(), x[1][2] = std::numeric_limits<float>::infinity();
  EXPECT_EQ(shoal::unit_rows(x.span()), 0u);
  EXPECT_TRUE(std::isnan(x[0][0]));
  EXPECT_TRUE(std::isnan(x[1][2]));
}

TEST(ColumnMeans, ByHandAndTheSameForAnyThreads) {
  Matrix small(2, 2);
  small[0][0] = 1, small[1][0] = 4, small[0][1] = -1;
  EXPECT_EQ(shoal::column_means(small, {}), (std::vector<double>{2.5, -0.5}));
  EXPECT_EQ(shoal::column_means(Matrix(0, 2), {}), (std::vector<double>{0, 0}));
  const Matrix x = draws(10000, 7);
  const std::vector<double> one = shoal::column_means(x, {.threads = 1});
  for (const unsigned threads : {2u, 3u}) EXPECT_EQ(shoal::column_means(x, {.threads = threads}), one);
  double first = 0;
  for (Index r = 0; r < x.rows(); ++r) first += static_cast<double>(x[r][0]);
  EXPECT_NEAR(one[0], first / 10000, 1e-15);
}

TEST(CheckFinite, NamesTheFirstBadRow) {
  Matrix x = draws(9000, 5);
  EXPECT_NO_THROW(shoal::check_finite(x, {}));
  x[8500][2] = std::numeric_limits<float>::quiet_NaN();
  x[4321][3] = -std::numeric_limits<float>::infinity();
  for (const unsigned threads : {1u, 2u, 3u}) {
    shoal::expect_error(shoal::Fault::data, "row 4321, column 3: infinity",
                        [&] { shoal::check_finite(x, {.threads = threads}); });
    shoal::expect_error(shoal::Fault::data, "row 4321, column 3: infinity",
                        [&] { shoal::column_means(x, {.threads = threads}); });
  }
}

TEST(CheckSpace, UnknownOnesAreTheirOwnKind) {
  const shoal::Space mini{"mini", 384, true}, unknown{"", 384, false};
  EXPECT_NO_THROW(shoal::check_space(unknown, unknown, "pca"));
  EXPECT_THROW(shoal::check_space(mini, unknown, "pca"), shoal::Error);
  try {
    shoal::check_space(unknown, mini, "pca");
    FAIL() << "accepted";
  } catch (const shoal::Error& e) {
    EXPECT_EQ(e.fault, shoal::Fault::data);
    EXPECT_EQ(e.hint, "if one model made both, say so by Rows::assume_space");
  }
}

TEST(CheckSpace, RefusesAnotherModel) {
  const shoal::Space mini{"mini", 384, true}, large{"large", 1024, true};
  EXPECT_NO_THROW(shoal::check_space(mini, mini, "pca"));
  EXPECT_NO_THROW(shoal::check_space({"mini@1f", 384, true}, {"renamed@here@1f", 384, true}, "pca"));
  EXPECT_THROW(shoal::check_space({"mini@1f", 384, true}, {"mini@1e", 384, true}, "pca"), shoal::Error);
  EXPECT_THROW(shoal::check_space({"a@1f", 384, true}, {"a@1f+pca", 384, false}, "pca"), shoal::Error);
  try {
    shoal::check_space(mini, large, "pca");
    FAIL() << "accepted";
  } catch (const shoal::Error& e) {
    EXPECT_EQ(e.fault, shoal::Fault::data);
    EXPECT_EQ(std::string(e.what()),
              "pca: fitted on vectors of \"mini\" (384 dimensions), but given vectors of \"large\" "
              "(1024 dimensions); embed both with one model");
  }
}

}  // namespace
