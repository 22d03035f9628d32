#include "shoal/reduce/standardise.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "shoal/core/error.h"
#include "shoal/core/random.h"
#include "shoal/store/archive/archive.h"
#include "tests/error_of.h"

namespace shoal {
namespace {

Matrix rows_far_out(Index rows, Index cols) {
  const Random random({5});
  Matrix x(rows, cols);
  for (Index i = 0; i < rows; ++i)
    for (Index j = 0; j < cols; ++j)
      x[i][j] = static_cast<float>(1000 * (j + 1) + random.normal(i * cols + j) * (0.5 + j));
  return x;
}

TEST(Standardise, LearnsFromBatches) {
  const Matrix x = rows_far_out(1000, 5);
  Standardise scaler;
  for (const auto& [first, count] : {std::pair<Index, Index>{0, 1}, {1, 0}, {1, 700}, {701, 299}})
    scaler.update(x.view().slice(first, count));
  const Standardise whole = Standardise::fit(x);
  ASSERT_EQ(scaler.count(), 1000u);
  for (Index j = 0; j < 5; ++j) {
    EXPECT_NEAR(scaler.mean()[j], whole.mean()[j], 1e-10 * whole.mean()[j]);
    EXPECT_NEAR(scaler.variance()[j], whole.variance()[j], 1e-10 * whole.variance()[j]);
  }
  const Matrix y = scaler.transform(x);
  double sum = 0, squares = 0;
  for (Index i = 0; i < 1000; ++i) sum += y[i][3], squares += y[i][3] * y[i][3];
  EXPECT_NEAR(sum / 1000, 0, 1e-6);
  EXPECT_NEAR(squares / 1000, 1, 1e-6);
}

TEST(Standardise, AnswerMadeByHand) {
  Matrix x(2, 3);  // 1, 3 (mean 2, deviation 1); 5, 5 (none); 0.1 twice, whose mean may be off by rounding
  x[0][0] = 1, x[1][0] = 3, x[0][1] = x[1][1] = 5, x[0][2] = x[1][2] = 0.1f;
  const Matrix y = Standardise::fit(x).transform(x);
  EXPECT_EQ(y[0][0], -1);
  EXPECT_EQ(y[1][0], 1);
  for (const Index j : {1u, 2u}) EXPECT_NEAR(y[0][j], 0, 1e-15);
  const Matrix centred = Standardise::fit(x, {.with_std = false}).transform(x);
  EXPECT_EQ(centred[1][0], 1);
  const Matrix scaled = Standardise::fit(x, {.with_mean = false}).transform(x);
  EXPECT_EQ(scaled[1][0], 3);
  EXPECT_EQ(scaled[1][1], 5);
}

TEST(Standardise, EqualsScikitLearn) {
  const ArchiveReader golden(SHOAL_SOURCE "/tests/golden/logistic.safetensors");
  const Matrix x = golden.matrix("x"), scaled = golden.matrix("scaled");
  const Standardise s = Standardise::fit(x);
  const auto mean = golden.doubles("mean", 6), variance = golden.doubles("variance", 6);
  for (Index j = 0; j < 6; ++j) {
    EXPECT_NEAR(s.mean()[j], mean[j], 1e-12);
    EXPECT_NEAR(s.variance()[j], variance[j], 1e-12);
  }
  const Matrix y = s.transform(x);
  for (Index i = 0; i < x.rows() * x.cols(); ++i) EXPECT_NEAR(y.data()[i], scaled.data()[i], 1e-6);
}

TEST(Standardise, ABadBatchIsNotCounted) {
  Standardise s;
  EXPECT_THROW(s.transform(Matrix(1, 2)), Error);
  s.update(rows_far_out(50, 4));
  const std::vector<double> before = s.mean();
  Matrix bad = rows_far_out(50, 4);
  bad[7][2] = std::numeric_limits<float>::infinity();
  expect_error(Fault::data, "row 7", [&] { s.update(bad); });
  EXPECT_THROW(s.update(Matrix(3, 5)), Error);
  EXPECT_EQ(s.mean(), before);
  EXPECT_EQ(s.count(), 50u);
}

}  // namespace
}  // namespace shoal
