#include "shoal/linear/procrustes.h"

#include <gtest/gtest.h>

#include <cmath>

#include "shoal/core/random.h"

namespace shoal {
namespace {

Matrix drawn(Index rows, Index cols, std::uint64_t seed) {
  const Random random({seed});
  Matrix out(rows, cols);
  for (Index i = 0; i < rows * cols; ++i) out.data()[i] = static_cast<float>(random.normal(i));
  return out;
}

TEST(Procrustes, FindsTheTurnThatWasMade) {
  const Matrix x = drawn(300, 2, 1);
  Matrix y(300, 3);  // turned by 30 degrees, in a plane of three dimensions
  const float c = std::sqrt(0.75f), s = 0.5f;
  for (Index i = 0; i < 300; ++i) {
    y[i][0] = c * x[i][0] - s * x[i][1];
    y[i][2] = s * x[i][0] + c * x[i][1];
  }
  const Matrix a = procrustes(x, y);
  ASSERT_EQ(a.rows(), 3u);
  ASSERT_EQ(a.cols(), 2u);
  const float expected[3][2] = {{c, -s}, {0, 0}, {s, c}};
  for (Index i = 0; i < 3; ++i)
    for (Index j = 0; j < 2; ++j) EXPECT_NEAR(a[i][j], expected[i][j], 1e-5) << i << j;
}

TEST(Procrustes, KeepsLengthsAndAngles) {
  const Matrix a = procrustes(drawn(400, 6, 1), drawn(400, 6, 2));  // of rows that have nothing in common
  for (Index i = 0; i < 6; ++i)
    for (Index j = 0; j < 6; ++j) {
      double dot = 0;
      for (Index k = 0; k < 6; ++k) dot += static_cast<double>(a[i][k]) * a[j][k];
      EXPECT_NEAR(dot, i == j, 1e-5);
    }
}

TEST(CrossProducts, AreSums) {
  const Matrix a = drawn(700, 3, 3), b = drawn(700, 4, 4);
  const auto products = cross_products(a, b);
  for (Index i = 0; i < 3; ++i)
    for (Index j = 0; j < 4; ++j) {
      double sum = 0;
      for (Index r = 0; r < 700; ++r) sum += static_cast<double>(a[r][i]) * b[r][j];
      EXPECT_NEAR(products[i * 4 + j], sum, 1e-3);
    }
}

}  // namespace
}  // namespace shoal
