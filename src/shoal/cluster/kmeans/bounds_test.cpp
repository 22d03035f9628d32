// What exactness rests on: bounds that err on the safe side only, and sums without rounding.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "shoal/cluster/kmeans/angle_bounds_impl.h"
#include "shoal/cluster/kmeans/exact_sums_impl.h"
#include "shoal/core/chunks.h"
#include "shoal/core/random.h"
#include "shoal/kernels/kernels.h"
#include "shoal/linear/norms.h"

namespace shoal {
namespace {

constexpr double kPerRadian = 2 * kRightAngle / std::numbers::pi;

Matrix unit_normal(Index rows, Index cols, std::uint64_t seed) {
  Matrix m(rows, cols);
  const Random random({seed});
  for (Index i = 0; i < rows * cols; ++i) m.data()[i] = static_cast<float>(random.normal(i));
  unit_rows(m.span());
  return m;
}

double true_angle(std::span<const float> a, std::span<const float> b) {
  double ab = 0, aa = 0, bb = 0;
  for (Index j = 0; j < a.size(); ++j)
    ab += double{a[j]} * b[j], aa += double{a[j]} * a[j], bb += double{b[j]} * b[j];
  return std::acos(std::clamp(ab / std::sqrt(aa * bb), -1.0, 1.0)) * kPerRadian;
}

TEST(AngleTable, BoundsHoldForEveryCosine) {
  const AngleTable table(384);
  for (int i = -100000; i <= 100000; ++i) {
    const float cosine = static_cast<float>(i) / 100000;
    const double angle = std::acos(double{cosine}) * kPerRadian;
    ASSERT_LE(table.at_least(cosine), angle) << cosine;
    ASSERT_GE(table.limit(cosine), angle) << cosine;
    if (std::abs(cosine) < 0.9f) {
      ASSERT_GT(table.at_least(cosine), angle - 10) << "useless bound for " << cosine;
      ASSERT_LT(table.limit(cosine), angle + 10) << "useless bound for " << cosine;
    }
  }
  EXPECT_EQ(table.at_least(1.00001f), 0);
  EXPECT_EQ(table.at_least(-1.00001f), table.at_least(-1));
}

TEST(AngleTable, StepIsNeverTooShort) {
  const Matrix a = unit_normal(200, 50, 1), b = unit_normal(200, 50, 2);
  for (Index i = 0; i < 200; ++i) {
    Matrix near(1, 50);  // from far away to nearly equal
    const float share = std::pow(0.9f, static_cast<float>(i));
    for (Index j = 0; j < 50; ++j) near[0][j] = a[i][j] + share * b[i][j];
    unit_rows(near.span());
    const double angle = true_angle(a[i], near[0]);
    EXPECT_GE(AngleTable::step(a[i], near[0]), angle);
    EXPECT_LT(AngleTable::step(a[i], near[0]), angle * 1.01 + 2);
  }
  EXPECT_EQ(AngleTable::step(a[0], a[0]), 0);
}

// Random steps, so large that bounds are carried forward many times: what is read back must never exceed the
// bound minus all steps since.
TEST(AngleBounds, LoseWhatTheCentroidsMove) {
  constexpr Index kRows = 5, kClusters = 40;
  AngleBounds bounds(kRows, kClusters);
  ASSERT_EQ(bounds.width(), 1u);
  const Random random({3});
  std::vector<std::vector<int>> expect(kRows, std::vector<int>(kClusters));
  std::vector<int> limit(kRows);
  std::uint64_t draw = 0;
  std::vector<Angle> step(kClusters);
  for (int round = 0; round < 200; ++round) {
    for (Index r = 0; r < kRows; ++r) {
      bounds.settle(r, 7);
      for (Index c = 0; c < kClusters; ++c) {
        if (round == 0 || random.below(draw++, 10) == 0) {
          expect[r][c] = static_cast<int>(random.below(draw++, 2 * kRightAngle));
          bounds.set_bound(r, c, static_cast<Angle>(expect[r][c]));
        }
        EXPECT_EQ(std::max(0, bounds.bound(r, c)), std::max(0, expect[r][c]));
      }
      if (round == 0 || random.below(draw++, 10) == 0) {
        limit[r] = static_cast<int>(random.below(draw++, kRightAngle));
        bounds.set_limit(r, 7, limit[r]);
      }
      EXPECT_EQ(std::min<int>(kRightAngle, bounds.limit(r, 7)), std::min<int>(kRightAngle, limit[r]));
      std::vector<std::uint32_t> scratch, by_hand;
      const auto within = bounds.sets_within(r, 3000, scratch);
      for (Index c = 0; c < kClusters; ++c)
        if (bounds.bound(r, c) <= 3000) by_hand.push_back(static_cast<std::uint32_t>(c));
      EXPECT_TRUE(std::ranges::equal(within, by_hand));
      EXPECT_EQ(bounds.any_within(r, 3000), !by_hand.empty());
    }
    for (Index c = 0; c < kClusters; ++c)
      step[c] = static_cast<Angle>(random.below(draw++, round % 20 == 0 ? 2 * kRightAngle : 300));
    bounds.advance(step);
    for (auto& row : expect)
      for (Index c = 0; c < kClusters; ++c) row[c] = std::max(row[c] - step[c], -40000);
    for (int& l : limit) l = std::min(l + step[7], 100000);
  }
}

TEST(AngleBounds, OfNothingStayBeyondEverything) {
  AngleBounds bounds(1, 3);
  bounds.set_bound(0, 1, kNoAngle);
  const std::vector<Angle> step(3, 2 * kRightAngle);
  std::vector<std::uint32_t> scratch;
  for (int round = 0; round < 5; ++round) {
    bounds.advance(step);
    bounds.settle(0, 0);
    const auto within = bounds.sets_within(0, kRightAngle - 1, scratch);
    EXPECT_TRUE(std::ranges::equal(within, std::vector<std::uint32_t>{0, 2}));
  }
  bounds.forget(0);
  EXPECT_GE(bounds.limit(0, 2), kRightAngle);
}

TEST(ExactSums, DoNotDependOnOrderOrThreads) {
  constexpr Index kRows = 3000, kCols = 40, kClusters = 3;
  const Matrix x = unit_normal(kRows, kCols, 5);
  ExactSums forward(kClusters, kCols, {.most_rows = kRows}), detour(kClusters, kCols, {.most_rows = kRows});
  for (Index i = 0; i < kRows; ++i) forward.move(x[i], 1, kNoise, static_cast<Label>(i % kClusters));
  for_chunks({.threads = 4}, kRows, 7, [&](Index, Index first, Index last) {
    for (Index i = last; i-- > first;) {
      detour.move(x[i], 1, kNoise, static_cast<Label>((i + 1) % kClusters));
      detour.move(x[i], 1, static_cast<Label>((i + 1) % kClusters), static_cast<Label>(i % kClusters));
    }
  });
  for (Index c = 0; c < kClusters; ++c) {
    EXPECT_EQ(forward.count(c), kRows / kClusters);
    EXPECT_EQ(detour.count(c), kRows / kClusters);
    EXPECT_TRUE(std::ranges::equal(forward.sum(c), detour.sum(c)));
    for (Index j = 0; j < kCols; ++j) {
      double plain = 0;
      for (Index i = c; i < kRows; i += kClusters) plain += x[i][j];
      EXPECT_NEAR(forward.sum(c)[j], plain, kRows * 0x1p-39);
    }
  }
}

}  // namespace
}  // namespace shoal
