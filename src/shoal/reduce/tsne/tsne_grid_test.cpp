#include "shoal/reduce/tsne/tsne_grid_impl.h"

#include <gtest/gtest.h>

#include <cmath>

#include "shoal/core/random.h"
#include "shoal/reduce/tsne/tsne_pairs_impl.h"

namespace shoal {
namespace {

struct Field {
  std::vector<MapPoint> push;
  double sum = 0;
};

std::vector<MapPoint> points(Index n, float width, float height, Seed seed = {1}) {
  const Random random(seed);
  std::vector<MapPoint> y(n);
  for (Index i = 0; i < n; ++i)
    y[i] = {width * static_cast<float>(random.uniform(2 * i)) - 3,
            height * static_cast<float>(random.uniform(2 * i + 1))};
  return y;
}

Field by_pairs(const std::vector<MapPoint>& y, unsigned threads = 1) {
  Field f{std::vector<MapPoint>(y.size()), 0};
  f.sum = repel_pairs(y, f.push, {.threads = threads, .stop = {}, .progress = {}});
  return f;
}

Field by_grid(const std::vector<MapPoint>& y, unsigned threads = 1) {
  GridRepulsion grid;
  Field f{std::vector<MapPoint>(y.size()), 0};
  f.sum = grid(y, f.push, {.threads = threads, .stop = {}, .progress = {}});
  return f;
}

// The root of the mean square of a's differences from b, over that of b's.
double difference(const std::vector<MapPoint>& a, const std::vector<MapPoint>& b) {
  double off = 0, all = 0;
  for (Index i = 0; i < a.size(); ++i) {
    off += std::pow(a[i].x - b[i].x, 2) + std::pow(a[i].y - b[i].y, 2);
    all += std::pow(b[i].x, 2) + std::pow(b[i].y, 2);
  }
  return std::sqrt(off / all);
}

TEST(RepelPairs, ByHand) {
  const Field f = by_pairs({{0, 0}, {1, 0}, {0, 2}});
  EXPECT_NEAR(f.sum, 2 * (1.0 / 2 + 1.0 / 5 + 1.0 / 6), 1e-6);
  EXPECT_NEAR(f.push[0].x, -1.0 / 4, 1e-6);
  EXPECT_NEAR(f.push[0].y, -2.0 / 25, 1e-6);
  EXPECT_NEAR(f.push[1].x, 1.0 / 4 + 1.0 / 36, 1e-6);
  EXPECT_NEAR(f.push[2].y, 2.0 / 25 + 2.0 / 36, 1e-6);
}

TEST(GridRepulsion, IsNearThePairs) {
  struct Case {
    Index n;
    float width, height;
  };
  for (const Case c :
       {Case{2000, 40, 30}, Case{1000, 3, 2}, Case{1000, 200, 5}, Case{1000, 5, 130}, Case{300, 1, 1}}) {
    const std::vector<MapPoint> y = points(c.n, c.width, c.height);
    const Field exact = by_pairs(y), near = by_grid(y);
    EXPECT_NEAR(near.sum / exact.sum, 1, 2e-4) << c.width;
    EXPECT_LT(difference(near.push, exact.push), 0.005) << c.width;
  }
}

TEST(GridRepulsion, TwoPointsAnywhere) {
  for (float distance = 0; distance < 300; distance = 1.3f * distance + 0.1f)
    for (const float turn : {0.0f, 0.3f, 1.1f}) {
      const std::vector<MapPoint> y = {{-5, 1},
                                       {-5 + distance * std::cos(turn), 1 + distance * std::sin(turn)}};
      const Field exact = by_pairs(y), near = by_grid(y);
      EXPECT_NEAR(near.sum, exact.sum, 0.004) << distance;
      EXPECT_NEAR(near.push[0].x, exact.push[0].x, 0.004) << distance;
      EXPECT_NEAR(near.push[0].y, exact.push[0].y, 0.004) << distance;
    }
}

TEST(GridRepulsion, AllOnOneSpotAndFarApart) {
  const Field one = by_grid(std::vector<MapPoint>(500, {2, 2}));
  EXPECT_NEAR(one.sum / (500 * 499), 1, 0.01);
  std::vector<MapPoint> y = points(500, 10, 10);
  y[0] = {5000, -8000};  // nodes move apart
  const Field far = by_grid(y);
  for (const MapPoint p : far.push) EXPECT_TRUE(std::isfinite(p.x) && std::isfinite(p.y));
}

TEST(GridRepulsion, GoesFromMapToMap) {
  GridRepulsion grid;
  for (const float size : {10.0f, 60.0f, 61.0f, 20.0f, 90.0f}) {
    const std::vector<MapPoint> y = points(700, size, 40);
    std::vector<MapPoint> push(y.size());
    grid(y, push, {});
    const Field fresh = by_grid(y);
    for (Index i = 0; i < y.size(); ++i)
      ASSERT_TRUE(push[i].x == fresh.push[i].x && push[i].y == fresh.push[i].y);
  }
}

TEST(Repulsion, SameBitsForAnyThreads) {
  const std::vector<MapPoint> y = points(5000, 60, 80);
  const Field one = by_grid(y), pairs = by_pairs(y);
  for (const unsigned threads : {2u, 3u, 8u}) {
    const Field grid = by_grid(y, threads), exact = by_pairs(y, threads);
    EXPECT_EQ(grid.sum, one.sum);
    EXPECT_EQ(exact.sum, pairs.sum);
    for (Index i = 0; i < y.size(); ++i) {
      ASSERT_TRUE(grid.push[i].x == one.push[i].x && grid.push[i].y == one.push[i].y) << threads;
      ASSERT_TRUE(exact.push[i].x == pairs.push[i].x && exact.push[i].y == pairs.push[i].y) << threads;
    }
  }
}

}  // namespace
}  // namespace shoal
