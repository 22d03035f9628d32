#include "shoal/reduce/pca.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <thread>

#include "shoal/core/error.h"
#include "shoal/core/random.h"
#include "shoal/store/archive/archive.h"
#include "tests/error_of.h"
#include "tests/matrices.h"

namespace shoal {
namespace {

/// Rows whose variance falls from column to column, away from the origin.
Matrix slanted(Index rows, Index cols, float offset = 3) {
  const Random random({21});
  Matrix m(rows, cols);
  for (Index i = 0; i < rows; ++i)
    for (Index j = 0; j < cols; ++j) {
      m[i][j] =
          offset + static_cast<float>(random.normal(i * cols + j) * std::pow(0.8, static_cast<double>(j)));
      if (j > 0) m[i][j] += 0.5f * m[i][j - 1];
    }
  return m;
}

TEST(Pca, LearnsFromBatches) {
  const Matrix x = slanted(500, 6);
  Pca pca({.variance = 0.95});
  for (Index first = 0; first < 500; first += 100) pca.update(x.view().slice(first, 100));
  const Matrix reduced = pca.transform(x);
  EXPECT_EQ(reduced.rows(), 500u);
  EXPECT_LT(reduced.cols(), 6u);
  EXPECT_GE(pca.explained_variance_ratio(), 0.95);
}

TEST(Pca, AnswerMadeByHand) {
  // Along (1, 1): -1.5, -0.5, 0.5, 1.5 times sqrt 2, variance 10/3; across: nothing.
  const Matrix x = from({{10, 20}, {11, 21}, {12, 22}, {13, 23}});
  const Pca pca = Pca::fit(x, {.n_components = 2});
  const float s = std::sqrt(0.5f);
  EXPECT_NEAR(pca.components()[0][0], s, 1e-6);
  EXPECT_NEAR(pca.components()[0][1], s, 1e-6);
  EXPECT_NEAR(pca.explained_variance()[0], 10.0 / 3, 1e-9);
  EXPECT_NEAR(pca.explained_variance()[1], 0, 1e-9);
  EXPECT_EQ(pca.mean(), (std::vector<float>{11.5f, 21.5f}));
  const Matrix reduced = pca.transform(from({{10, 20}, {11.5f, 21.5f}}));
  EXPECT_NEAR(reduced[0][0], -1.5 * std::sqrt(2.0), 1e-6);
  EXPECT_NEAR(reduced[1][0], 0, 1e-6);
  EXPECT_EQ(Pca::fit(x).n_components(), 1u);
}

TEST(Pca, AgreesWithScikitLearn) {
  const ArchiveReader golden(SHOAL_SOURCE "/tests/golden/pca.safetensors");
  const Matrix x = golden.matrix("x"), components = golden.matrix("components");
  const Matrix transformed = golden.matrix("transformed");
  const auto variance = golden.floats("explained_variance", components.rows());
  const Pca pca = Pca::fit(x, {.variance = 0.95});
  ASSERT_EQ(pca.n_components(), components.rows());
  const Matrix ours = pca.transform(x);
  for (Index i = 0; i < components.rows(); ++i) {
    EXPECT_NEAR(pca.explained_variance()[i], variance[i], 1e-6 * variance[0]);
    for (Index j = 0; j < x.cols(); ++j) EXPECT_NEAR(pca.components()[i][j], components[i][j], 1e-5);
  }
  for (Index r = 0; r < x.rows(); ++r)
    for (Index i = 0; i < components.rows(); ++i) EXPECT_NEAR(ours[r][i], transformed[r][i], 1e-4);
  EXPECT_NEAR(pca.explained_variance_ratio(), golden.floats("ratio", 1)[0], 1e-6);
}

TEST(Pca, KeepsTheFewestComponentsThatReachTheShare) {
  // Variances 16 : 4 : 1 along the axes.
  const Matrix x = from({{4, 0, 0}, {-4, 0, 0}, {0, 2, 0}, {0, -2, 0}, {0, 0, 1}, {0, 0, -1}});
  EXPECT_EQ(Pca::fit(x, {.variance = 0.5}).n_components(), 1u);
  EXPECT_EQ(Pca::fit(x, {.variance = 16.0 / 21}).n_components(), 1u);
  EXPECT_EQ(Pca::fit(x, {.variance = 0.77}).n_components(), 2u);
  EXPECT_EQ(Pca::fit(x, {.variance = 1}).n_components(), 3u);
  EXPECT_EQ(Pca::fit(x, {.variance = 0.1, .n_components = 2}).n_components(), 2u);
}

TEST(Pca, BatchesDifferByRoundingOnly) {
  const Matrix x = slanted(3000, 20, 100);
  const Pca whole = Pca::fit(x, {.n_components = 5});
  for (Index size : {1u, 7u, 1000u, 2999u}) {
    Pca parts({.n_components = 5});
    for (Index first = 0; first < 3000; first += size)
      parts.update(x.view().slice(first, std::min<Index>(size, 3000 - first)));
    for (Index i = 0; i < 5; ++i) {
      EXPECT_NEAR(parts.explained_variance()[i], whole.explained_variance()[i],
                  1e-5 * whole.explained_variance()[0]);
      for (Index j = 0; j < 20; ++j) EXPECT_NEAR(parts.components()[i][j], whole.components()[i][j], 1e-4);
    }
  }
}

TEST(Pca, AnEmptyBatchChangesNothing) {
  const Matrix x = slanted(50, 4);
  Pca pca({});
  pca.update(Matrix(0, 9));
  pca.update(x);
  pca.update(Matrix(0, 9));
  EXPECT_TRUE(pca.components() == Pca::fit(x).components());
}

TEST(Pca, EqualRowsKeepOneComponentOfNothing) {
  const Pca pca = Pca::fit(from({{1, 2, 3}, {1, 2, 3}, {1, 2, 3}}));
  EXPECT_EQ(pca.n_components(), 1u);
  EXPECT_EQ(pca.explained_variance_ratio(), 1);
  const Matrix reduced = pca.transform(from({{1, 2, 3}}));
  EXPECT_EQ(reduced[0][0], 0);
}

TEST(Pca, RefusesByName) {
  const Matrix x = slanted(20, 4);
  const auto says = [](const std::function<void()>& f, Fault fault, const std::string& text) {
    const Error e = error_of(f);
    EXPECT_EQ(e.fault, fault) << e.what();
    EXPECT_NE(std::string(e.what()).find(text), std::string::npos) << e.what();
  };
  says([&] { Pca({.variance = 0}); }, Fault::argument, "variance is 0");
  says([&] { Pca({.variance = 1.5}); }, Fault::argument, "variance is 1.5");
  says([&] { Pca({.variance = std::nan("")}); }, Fault::argument, "variance is");
  says([&] { Pca({.n_components = 0}); }, Fault::argument, "n_components is 0");
  says([&] { Pca::fit(x, {.n_components = 5}); }, Fault::argument, "allow 1..4");
  says([&] { Pca::fit(x.view().slice(0, 1)); }, Fault::data, "given: 1");
  says([&] { Pca({}).components(); }, Fault::data, "given: 0");
  says([&] { Pca::fit(x).transform(Matrix(2, 3)); }, Fault::data, "3 columns");
  says([&] { Pca::fit(Rows(x, {.id = "a", .dims = 4})).transform(Rows(x, {.id = "b", .dims = 4})); },
       Fault::data, "b");
}

TEST(Pca, ABadBatchIsNotCounted) {
  const Matrix x = slanted(40, 4);
  Matrix bad = x;
  bad[17][2] = std::nanf("");
  Pca pca({});
  pca.update(x);
  const Matrix before = pca.components();
  const Error e = error_of([&] { pca.update(bad); });
  EXPECT_EQ(e.fault, Fault::data);
  EXPECT_NE(std::string(e.what()).find("row 17"), std::string::npos) << e.what();
  EXPECT_TRUE(pca.components() == before);
  bad[17][2] = 3e38f;
  EXPECT_EQ(error_of([&] { pca.update(bad); }).fault, Fault::data);
  EXPECT_TRUE(pca.components() == before);
}

TEST(Pca, GoesOnLearningAfterACopy) {
  const Matrix x = slanted(60, 4), y = slanted(90, 4, 1);
  Pca pca = Pca::fit(x);
  const Pca copy = pca;
  pca.update(y);
  EXPECT_TRUE(copy.components() == Pca::fit(x).components());
  EXPECT_FALSE(pca.components() == copy.components());
}

TEST(Pca, ManyThreadsMayAskFirst) {
  Pca pca({});
  pca.update(slanted(300, 40));
  std::vector<const Matrix*> seen(8);
  {
    std::vector<std::jthread> threads;
    for (auto& s : seen) threads.emplace_back([&] { s = &pca.components(); });
  }
  for (const Matrix* s : seen) EXPECT_EQ(s, seen[0]);
}

}  // namespace
}  // namespace shoal
