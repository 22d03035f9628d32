#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "shoal/core/random.h"
#include "shoal/encode/after_pooling.h"
#include "shoal/encode/attention.h"
#include "shoal/encode/pool.h"
#include "shoal/encode/windows.h"

namespace shoal {
namespace {

Matrix numbers(Index rows, Index cols, std::uint64_t seed) {
  Matrix x(rows, cols);
  const Random random(Seed{seed});
  for (Index i = 0; i < rows * cols; ++i) x.data()[i] = static_cast<float>(random.normal(i));
  return x;
}

TEST(Pool, ByHand) {
  Matrix x(3, 2);
  const float values[] = {1, 10, 2, -20, 6, 4};
  std::copy_n(values, 6, x.data());
  const PoolingMode all[] = {PoolingMode::cls,          PoolingMode::mean,
                             PoolingMode::max,          PoolingMode::mean_sqrt_len_tokens,
                             PoolingMode::weightedmean, PoolingMode::lasttoken};
  std::vector<float> out(12);
  pool(all, x.view(), 0, out);
  const float root = std::sqrt(3.0f);
  EXPECT_EQ(out, (std::vector<float>{1, 10, 3, -2, 6, 10, 9 / root, -6 / root, 23.0f / 6, -18.0f / 6, 6, 4}));
  pool(all, x.view(), 2, out);  // a prompt of two tokens: the third weighs as the third
  EXPECT_EQ(out, (std::vector<float>{6, 4, 6, 4, 6, 4, 6, 4, 6, 4, 6, 4}));
  pool(all, x.view(), 9, out);  // nothing counts but the last token
  EXPECT_EQ(out, (std::vector<float>{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 6, 4}));
  pool(all, x.view().slice(0, 0), 0, out);
  EXPECT_EQ(out, std::vector<float>(12));
}

TEST(Windows, ByHand) {
  std::vector<Window> out;
  const auto cut = [&](Index tokens) {
    out.clear();
    cut_windows(7, tokens, 10, 4, out);
    std::vector<std::array<Index, 3>> seen;
    for (const Window& w : out) seen.push_back({w.first, w.last, w.added});
    return seen;
  };
  using Seen = std::vector<std::array<Index, 3>>;
  EXPECT_EQ(cut(0), (Seen{{0, 0, 0}}));
  EXPECT_EQ(cut(10), (Seen{{0, 10, 10}}));
  EXPECT_EQ(cut(11), (Seen{{0, 10, 10}, {1, 11, 1}}));
  EXPECT_EQ(cut(16), (Seen{{0, 10, 10}, {6, 16, 6}}));
  EXPECT_EQ(cut(17), (Seen{{0, 10, 10}, {6, 16, 6}, {7, 17, 1}}));
}

TEST(Windows, CoverEveryTextOnce) {
  for (Index tokens = 0; tokens < 120; ++tokens)
    for (Index room : {1u, 2u, 7u, 30u})
      for (Index overlap = 0; overlap < room; overlap += 3) {
        std::vector<Window> out;
        cut_windows(0, tokens, room, overlap, out);
        Index added = 0;
        for (const Window& w : out) {
          EXPECT_LE(w.last - w.first, room);
          EXPECT_TRUE(w.last - w.first == room || out.size() == 1);
          added += w.added;
          EXPECT_EQ(added, w.last);
        }
        EXPECT_EQ(added, tokens);
      }
}

TEST(Pieces, LongestFirstAndNoneOverTheLimit) {
  const Pieces pieces = cut_pieces({3, 50, 3, 9, 20, 100}, 60);
  EXPECT_EQ(pieces.order, (std::vector<Index>{5, 1, 4, 3, 0, 2}));
  EXPECT_EQ(pieces.starts, (std::vector<Index>{0, 1, 2, 6}));
  EXPECT_EQ(cut_pieces({}, 60).size(), 0u);
}

/// softmax(Q K^T / sqrt(d) + bias) V in double, one head at a time.
Matrix naive_attention(const Matrix& qkv, Index heads, const Matrix* bias) {
  const Index n = qkv.rows(), hidden = qkv.cols() / 3, d = hidden / heads;
  Matrix out(n, hidden);
  for (Index h = 0; h < heads; ++h)
    for (Index i = 0; i < n; ++i) {
      std::vector<double> p(n);
      double total = 0;
      for (Index j = 0; j < n; ++j) {
        double score = 0;
        for (Index t = 0; t < d; ++t) score += double{qkv[i][h * d + t]} * qkv[j][hidden + h * d + t];
        score /= std::sqrt(static_cast<double>(d));
        if (bias) score += (*bias)[h][bias->cols() / 2 + j - i];
        total += p[j] = std::exp(score);
      }
      for (Index t = 0; t < d; ++t) {
        double sum = 0;
        for (Index j = 0; j < n; ++j) sum += p[j] / total * qkv[j][2 * hidden + h * d + t];
        out[i][h * d + t] = static_cast<float>(sum);
      }
    }
  return out;
}

TEST(Attention, EqualsTheFormula) {
  const Matrix bias = numbers(3, 2 * 140 - 1, 5);
  AttentionScratch scratch;
  for (Index tokens : {1u, 2u, 63u, 64u, 65u, 140u})
    for (const Matrix* with : {static_cast<const Matrix*>(nullptr), &bias}) {
      const Matrix qkv = numbers(tokens, 3 * 21, tokens);
      Matrix context(tokens, 21);
      attend(qkv.view(), 3, with, scratch, context.span());
      const Matrix expected = naive_attention(qkv, 3, with);
      for (Index i = 0; i < tokens * 21; ++i) ASSERT_NEAR(context.data()[i], expected.data()[i], 2e-6);
    }
}

TEST(Head, NormaliseKeepsZeros) {
  std::vector<float> x{3, 0, 4}, zero(3);
  normalise(x);
  normalise(zero);
  EXPECT_EQ(x, (std::vector<float>{0.6f, 0, 0.8f}));
  EXPECT_EQ(zero, std::vector<float>(3));
}

}  // namespace
}  // namespace shoal
