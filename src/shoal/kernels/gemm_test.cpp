#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>
#include <vector>

#include "shoal/core/matrix.h"
#include "shoal/core/random.h"
#include "shoal/kernels/kernels.h"

namespace {

using shoal::Activation;
using shoal::Kernels;
using shoal::Matrix;

struct Shape {
  std::size_t m, n, k;
};

// Ragged in every direction around the tiles of all levels, tiny attention shapes, and depths that are cut.
constexpr Shape kShapes[] = {{1, 1, 1},     {1, 17, 5},   {2, 33, 64},   {5, 31, 7},    {6, 16, 384},
                             {7, 32, 33},   {13, 64, 32}, {14, 32, 12},  {15, 48, 100}, {29, 96, 384},
                             {12, 12, 32},  {12, 32, 12}, {61, 61, 32},  {61, 32, 61},  {33, 100, 17},
                             {300, 45, 40}, {3, 8, 1536}, {31, 40, 900}, {50, 7, 2000}, {450, 65, 130}};

Matrix draws(std::uint64_t seed, std::size_t rows, std::size_t cols) {
  const shoal::Random random(shoal::Seed{seed});
  Matrix x(rows, cols);
  for (std::size_t i = 0; i < rows * cols; ++i) x.data()[i] = static_cast<float>(random.normal(i));
  return x;
}

/// x w^T + bias through kernel `k`, with a's rows `pad` floats apart beyond their length and c's likewise.
Matrix product(const Kernels& k, const Matrix& a, const Matrix& b, const float* bias, Activation act,
               std::size_t pad = 0) {
  const std::size_t m = a.rows(), n = b.rows(), depth = a.cols();
  Matrix packed(1, k.pack_size(n, depth)), padded(m, depth + pad), c(m, n + pad);
  k.pack(b.data(), n, depth, depth, 1, packed.data());
  for (std::size_t i = 0; i < m; ++i) std::ranges::copy(a[i], padded[i].begin());
  std::fill_n(c.data(), m * (n + pad), 99.0f);
  k.gemm(padded.data(), depth + pad, packed.data(), m, n, depth, bias, act, c.data(), n + pad);
  Matrix out(m, n);
  for (std::size_t i = 0; i < m; ++i) {
    std::ranges::copy(c[i].first(n), out[i].begin());
    for (std::size_t j = n; j < n + pad; ++j) EXPECT_EQ(c[i][j], 99) << "wrote beyond column " << n;
  }
  return out;
}

/// The contract, literally: one fma chain over t from +0, then the bias, then the activation.
Matrix chains(const Matrix& a, const Matrix& b, const float* bias, Activation act) {
  Matrix c(a.rows(), b.rows());
  for (std::size_t i = 0; i < a.rows(); ++i)
    for (std::size_t j = 0; j < b.rows(); ++j) {
      float s = 0;
      for (std::size_t t = 0; t < a.cols(); ++t) s = std::fma(a[i][t], b[j][t], s);
      c[i][j] = bias ? s + bias[j] : s;
    }
  shoal::levels().front()->activate(act, c.data(), a.rows() * b.rows());
  return c;
}

class Gemm : public ::testing::TestWithParam<const Kernels*> {
 protected:
  const Kernels& k = *GetParam();
};
INSTANTIATE_TEST_SUITE_P(All, Gemm, ::testing::ValuesIn(shoal::levels().begin(), shoal::levels().end()),
                         [](const auto& level) { return std::string(level.param->level); });

TEST_P(Gemm, SmallByHand) {
  const float a[] = {1, 2, 3, 4, 5, 6}, b[] = {1, 0, -1, 2, 2, 2}, bias[] = {10, -100};
  float packed[2048], c[4];
  ASSERT_LE(k.pack_size(2, 3), std::size(packed));
  k.pack(b, 2, 3, 3, 1, packed);
  k.gemm(a, 3, packed, 2, 2, 3, nullptr, Activation::none, c, 2);
  EXPECT_EQ(std::vector<float>(c, c + 4), (std::vector<float>{-2, 12, -2, 30}));
  k.gemm(a, 3, packed, 2, 2, 3, bias, Activation::relu, c, 2);
  EXPECT_EQ(std::vector<float>(c, c + 4), (std::vector<float>{8, 0, 8, 0}));
}

TEST_P(Gemm, IsOneChainOfFmaAnOutputBitForBit) {
  for (const auto& [m, n, depth] : kShapes) {
    const Matrix a = draws(1, m, depth), b = draws(2, n, depth);
    EXPECT_EQ(product(k, a, b, nullptr, Activation::none), chains(a, b, nullptr, Activation::none))
        << m << " x " << n << " x " << depth;
    EXPECT_EQ(product(k, a, b, nullptr, Activation::none, 3), chains(a, b, nullptr, Activation::none))
        << m << " x " << n << " x " << depth << " with padded rows";
  }
}

TEST_P(Gemm, BiasAndActivationFollowTheSum) {
  for (const auto& [m, n, depth] : {Shape{15, 45, 20}, Shape{2, 7, 600}, Shape{30, 64, 1100}}) {
    const Matrix a = draws(3, m, depth), b = draws(4, n, depth), bias = draws(5, 1, n);
    for (const Activation act : {Activation::none, Activation::gelu, Activation::gelu_tanh, Activation::relu,
                                 Activation::silu, Activation::tanh}) {
      EXPECT_EQ(product(k, a, b, bias.data(), act), chains(a, b, bias.data(), act)) << static_cast<int>(act);
      EXPECT_EQ(product(k, a, b, nullptr, act), chains(a, b, nullptr, act)) << static_cast<int>(act);
    }
  }
}

TEST_P(Gemm, ARowDoesNotDependOnItsNeighbours) {
  const Matrix a = draws(6, 47, 200), b = draws(7, 70, 200);
  const Matrix all = product(k, a, b, nullptr, Activation::gelu);
  for (std::size_t i = 0; i < a.rows(); ++i) {
    Matrix row(1, 200);
    std::ranges::copy(a[i], row[0].begin());
    const Matrix alone = product(k, row, b, nullptr, Activation::gelu);
    EXPECT_TRUE(std::ranges::equal(alone[0], all[i])) << i;
  }
}

TEST_P(Gemm, PacksColumnsAndPartsOfWiderRows) {
  const Matrix wide = draws(8, 9, 21), a = draws(9, 4, 9);
  Matrix transposed(13, 9), packed(1, k.pack_size(13, 9)), c(4, 13);
  for (std::size_t j = 0; j < 13; ++j)
    for (std::size_t t = 0; t < 9; ++t) transposed[j][t] = wide[t][j + 3];
  k.pack(wide.data() + 3, 13, 9, 1, 21, packed.data());  // columns 3..15 are the outputs
  k.gemm(a.data(), 9, packed.data(), 4, 13, 9, nullptr, Activation::none, c.data(), 13);
  EXPECT_EQ(c, chains(a, transposed, nullptr, Activation::none));
}

TEST_P(Gemm, DegenerateShapes) {
  float c[3] = {5, 5, 5};
  const float bias[] = {1, 2, 3};
  EXPECT_EQ(k.pack_size(0, 4), 0u);
  k.gemm(nullptr, 4, nullptr, 0, 3, 4, nullptr, Activation::none, c, 3);
  k.gemm(c, 4, nullptr, 1, 0, 4, nullptr, Activation::none, c, 3);
  EXPECT_EQ(std::vector<float>(c, c + 3), (std::vector<float>{5, 5, 5}));
  k.gemm(nullptr, 0, nullptr, 1, 3, 0, bias, Activation::none, c, 3);  // no terms: the sums are 0
  EXPECT_EQ(std::vector<float>(c, c + 3), (std::vector<float>{1, 2, 3}));
}

TEST_P(Gemm, ErrorAgainstDoubleIsThatOfFloat) {
  const Matrix a = draws(10, 40, 1536), b = draws(11, 50, 1536);
  const Matrix c = product(k, a, b, nullptr, Activation::none);
  for (std::size_t i = 0; i < 40; ++i)
    for (std::size_t j = 0; j < 50; ++j) {
      double s = 0;
      for (std::size_t t = 0; t < 1536; ++t) s += static_cast<double>(a[i][t]) * b[j][t];
      EXPECT_NEAR(c[i][j], s, 2e-4);
    }
}

}  // namespace
