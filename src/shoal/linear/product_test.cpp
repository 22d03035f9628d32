#include "shoal/linear/product.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "shoal/core/error.h"
#include "shoal/core/random.h"

namespace {

using shoal::Activation;
using shoal::Index;
using shoal::Matrix;
using shoal::Packed;

Matrix draws(std::uint64_t seed, Index rows, Index cols) {
  const shoal::Random random(shoal::Seed{seed});
  Matrix x(rows, cols);
  for (Index i = 0; i < rows * cols; ++i) x.data()[i] = static_cast<float>(random.normal(i));
  return x;
}

TEST(Multiply, RowsAndColumnsOfTheRightSide) {
  Matrix a(1, 2), b(2, 2), c(1, 2);
  a[0][0] = 1, a[0][1] = 10;
  b[0][0] = 1, b[0][1] = 2, b[1][0] = 3, b[1][1] = 4;
  shoal::multiply(a.view(), Packed::rows(b.view()), {}, Activation::none, c.span());
  EXPECT_EQ(c[0][0], 21);
  EXPECT_EQ(c[0][1], 43);
  shoal::multiply(a.view(), Packed::columns(b.view()), {}, Activation::none, c.span());
  EXPECT_EQ(c[0][0], 31);
  EXPECT_EQ(c[0][1], 42);
}

TEST(Multiply, WorksOnViewsWithStrides) {
  const Matrix wide = draws(1, 9, 40), weights = draws(2, 30, 20);
  Matrix out(9, 25), tight(9, 20);
  for (Index r = 0; r < 9; ++r)
    for (Index j = 0; j < 20; ++j) tight[r][j] = wide[r][j + 7];
  const Packed packed = Packed::rows({weights.data() + 3, 25, 11, 20});  // columns 3..13 of rows 0..24
  Matrix expected(9, 25);
  shoal::multiply({wide.data() + 7, 9, 11, 40}, packed, {}, Activation::relu, out.span());
  shoal::multiply({tight.data(), 9, 11, 20}, packed, {}, Activation::relu, expected.span());
  EXPECT_EQ(out, expected);
  double s = 0;
  for (Index t = 0; t < 11; ++t) s += static_cast<double>(wide[4][7 + t]) * weights[24][3 + t];
  EXPECT_NEAR(out[4][24], std::fmax(s, 0), 1e-5);
}

TEST(Multiply, TurnsTheLeftSide) {
  const Matrix a = draws(3, 70, 5), b = draws(4, 70, 9);
  Matrix c(5, 9);
  shoal::multiply_transposed(a.view(), b.view(), c.span());
  double s = 0;
  for (Index i = 0; i < 70; ++i) s += static_cast<double>(a[i][3]) * static_cast<double>(b[i][7]);
  EXPECT_NEAR(c[3][7], s, 1e-4);
  EXPECT_THROW(shoal::multiply_transposed(b.view(), a.view(), c.span()), shoal::Error);
}

TEST(Multiply, RefusesShapesThatDoNotFit) {
  const Matrix a(2, 3), b(4, 3);
  Matrix c(2, 4), wrong(2, 5);
  const std::vector<float> bias(3);
  const Packed packed = Packed::rows(b.view());
  EXPECT_THROW(shoal::multiply(a.view(), packed, {}, Activation::none, wrong.span()), shoal::Error);
  EXPECT_THROW(shoal::multiply(b.view(), packed, {}, Activation::none, c.span()), shoal::Error);
  EXPECT_THROW(shoal::multiply(a.view(), packed, bias, Activation::none, c.span()), shoal::Error);
}

TEST(Gram, SmallByHand) {
  Matrix x(2, 2);
  x[0][0] = 1, x[0][1] = 2, x[1][0] = 3, x[1][1] = -1;
  EXPECT_EQ(shoal::gram(x, {}, {}), (std::vector<double>{10, -1, -1, 5}));
  const std::vector<float> shift = {2, 0.5f};
  EXPECT_EQ(shoal::gram(x, shift, {}), (std::vector<double>{2, -3, -3, 4.5}));
}

TEST(Gram, AgreesWithPlainLoopsAndIsSymmetric) {
  for (const auto& [rows, cols] : {std::pair<Index, Index>{1, 1}, {300, 97}, {5000, 33}, {700, 200}}) {
    const Matrix x = draws(rows, rows, cols);
    std::vector<float> shift(cols);
    for (Index c = 0; c < cols; ++c) shift[c] = 0.01f * static_cast<float>(c);
    const std::vector<double> g = shoal::gram(x, shift, {});
    ASSERT_EQ(g.size(), cols * cols);
    for (Index i = 0; i < cols; i += 5)
      for (Index j = 0; j < cols; ++j) {
        double s = 0;
        for (Index r = 0; r < rows; ++r)
          s += static_cast<double>(x[r][i] - shift[i]) * static_cast<double>(x[r][j] - shift[j]);
        EXPECT_NEAR(g[i * cols + j], s, 1e-5 * static_cast<double>(rows)) << i << " " << j;
        EXPECT_EQ(g[i * cols + j], g[j * cols + i]);
      }
  }
}

TEST(Gram, HasTheSameBitsForAnyNumberOfThreads) {
  const Matrix x = draws(3, 20000, 40);
  const std::vector<double> one = shoal::gram(x, {}, {.threads = 1});
  for (const unsigned threads : {2u, 3u, 8u}) EXPECT_EQ(shoal::gram(x, {}, {.threads = threads}), one);
}

TEST(Gram, NoRowsGiveZerosAndAWrongShiftIsRefused) {
  EXPECT_EQ(shoal::gram(Matrix(0, 2), {}, {}), std::vector<double>(4));
  const std::vector<float> shift(3);
  EXPECT_THROW(shoal::gram(Matrix(1, 2), shift, {}), shoal::Error);
}

}  // namespace
