#include "shoal/reduce/umap/umap_density_impl.h"

#include <gtest/gtest.h>

#include <cmath>

#include "shoal/core/error.h"
#include "shoal/core/random.h"
#include "shoal/reduce/umap/umap.h"
#include "tests/error_of.h"

namespace shoal {
namespace {

// 8 groups of 60 rows, far apart; group g is spread over a radius of 1.6^g times 0.01.
Matrix groups_of_many_sizes() {
  const Random random(Seed{4});
  Matrix x(480, 6);
  for (Index i = 0; i < 480; ++i)
    for (Index j = 0; j < 6; ++j) {
      const Index g = i / 60;
      x[i][j] = static_cast<float>((j == g % 6 ? 10 + 10 * static_cast<double>(g / 6) : 0) +
                                   0.01 * std::pow(1.6, static_cast<double>(g)) *
                                       (2 * random.uniform(i * 6 + j) - 1));
    }
  return x;
}

double correlation(const Matrix& x) {
  double a = 0, b = 0, aa = 0, bb = 0, ab = 0;
  const auto n = static_cast<double>(x.rows());
  for (Index i = 0; i < x.rows(); ++i) {
    const double u = x[i][0], v = x[i][1];
    a += u, b += v, aa += u * u, bb += v * v, ab += u * v;
  }
  return (ab - a * b / n) / std::sqrt((aa - a * a / n) * (bb - b * b / n));
}

// A path 0 - 1 - 2 with edges of length 1 and 3 and weights 1 and 0.5: radii 1, (1 + 0.5 * 9) / 1.5, 9.
TEST(UmapDensity, RadiiByHand) {
  const NeighbourGraph graph{{0, 1, 3, 4}, {1, 0, 2, 1}, {1, 1, 0.5f, 0.5f}};
  const std::vector<float> radii = log_radii(graph, {1, {1, 0, 1}, {1, 1, 3}}, {});
  EXPECT_NEAR(radii[0], 0, 1e-6);
  EXPECT_NEAR(radii[1], std::log(5.5 / 1.5), 1e-5);
  EXPECT_NEAR(radii[2], std::log(9), 1e-5);
  Matrix map(3, 2);  // at 0, 1 and 3, a = b = 1: similarities 1/2 and 1/5
  map[1][0] = 1, map[2][0] = 3;
  const std::vector<float> there = map_log_radii(graph, {1, 1}, map.view(), {});
  EXPECT_NEAR(there[0], 0, 1e-3);
  EXPECT_NEAR(there[1], std::log((0.5 + 0.2 * 4) / 0.7), 1e-3);
  EXPECT_NEAR(there[2], std::log(4), 1e-3);
}

// The pulls of all edges of a point, each due in every epoch, are the gradient of the correlation (its
// variance shifted) times lambda and half the sum of weights, which is 8 here: against differences.
TEST(UmapDensity, ThePullIsTheGradient) {
  const NeighbourGraph graph{{0, 2, 4, 6, 8}, {1, 3, 0, 2, 1, 3, 0, 2}, std::vector<float>(8, 1.0f)};
  const Curve curve{1.2, 0.9};
  const DensityOptions options{.lambda = 1, .var_shift = 0.1f, .log_radius = {0, 1, 3, 2}};
  const ForceTable attraction([](const float* x, float* y, Index n) {
    for (Index i = 0; i < n; ++i)
      y[i] = -2 * 1.2f * 0.9f * std::pow(x[i], -0.1f) / (1 + 1.2f * std::pow(x[i], 0.9f));
  });
  const std::vector<Spot> map{{0, 0}, {1, 0.2f}, {1.5f, 1}, {-0.5f, 1.5f}};
  const double aim[] = {0, 1, 3, 2}, mean = 1.5, deviation = std::sqrt(1.25);
  const auto value = [&](double x0, double y0) {
    double r[4], sum = 0, squares = 0, with = 0;
    for (int i = 0; i < 4; ++i) {
      double similar = 0, radius = 0;
      for (Index e = graph.first[i]; e < graph.first[i + 1]; ++e) {
        const auto j = graph.id[e];
        const double dx = (i == 0 ? x0 : map[i].x) - (j == 0 ? x0 : map[j].x),
                     dy = (i == 0 ? y0 : map[i].y) - (j == 0 ? y0 : map[j].y), d = dx * dx + dy * dy;
        const double s = 1 / (1 + 1.2 * std::pow(d, 0.9));
        similar += s, radius += s * d;
      }
      r[i] = std::log(radius / similar);
      sum += r[i], squares += r[i] * r[i];
      with += r[i] * (aim[i] - mean) / deviation;
    }
    return with / 4 / std::sqrt(squares / 4 - sum * sum / 16 + 0.1);
  };
  DensityForce force(options, curve, graph);
  force.update(map, {});
  Spot pull;
  for (const Index j : {1u, 3u}) {
    const Spot one = force.pull(0, j, map[0], map[j], 1, attraction);
    pull = {pull.x + one.x, pull.y + one.y};
  }
  const double h = 1e-5, by_x = (value(h, 0) - value(-h, 0)) / (2 * h),
               by_y = (value(0, h) - value(0, -h)) / (2 * h);
  EXPECT_NEAR(pull.x, 4 * by_x, 0.01 * std::abs(4 * by_x));
  EXPECT_NEAR(pull.y, 4 * by_y, 0.01 * std::abs(4 * by_y));
}

TEST(UmapDensity, WhatIsDenseStaysDense) {
  const Matrix x = groups_of_many_sizes();
  const Umap plain = Umap::fit(x, {.metric = Metric::euclidean}),
             dense = Umap::fit(x, {.metric = Metric::euclidean, .dens_lambda = 2});
  EXPECT_EQ(plain.local_radii().rows(), 0u);
  ASSERT_EQ(dense.local_radii().rows(), 480u);
  EXPECT_GT(correlation(dense.local_radii()), 0.9);
  // Seen from outside: how far a group is spread on the map. The plain map draws all alike.
  const auto spread = [](const Matrix& y, Index g) {
    double sum = 0;
    for (Index i = 60 * g; i < 60 * g + 60; ++i)
      for (Index j = 60 * g; j < i; ++j) sum += std::hypot(y[i][0] - y[j][0], y[i][1] - y[j][1]);
    return sum;
  };
  EXPECT_GT(spread(dense.embedding(), 7), 3 * spread(dense.embedding(), 0));
  EXPECT_LT(spread(plain.embedding(), 7), 2 * spread(plain.embedding(), 0));
}

TEST(UmapDensity, SameBitsForAnyThreads) {
  const Matrix x = groups_of_many_sizes();
  const UmapOptions options{.n_epochs = 30, .dens_lambda = 2, .dens_frac = 0.8f};
  const Umap one = Umap::fit(x, options, {.threads = 1}), three = Umap::fit(x, options, {.threads = 3});
  EXPECT_EQ(one.embedding(), three.embedding());
  EXPECT_EQ(one.local_radii(), three.local_radii());
}

// The correlation is 0/0 then; two points always have equal radii on the map.
TEST(UmapDensity, EqualRadiiOnTheMapPullNowhere) {
  const ForceTable attraction([](const float*, float* y, Index n) { std::fill_n(y, n, -1.0f); });
  const NeighbourGraph graph{{0, 1, 3, 4}, {1, 0, 2, 1}, std::vector<float>(4, 1.0f)};
  DensityForce force({.lambda = 2, .var_shift = 0, .log_radius = {0, 1, 3}}, {1, 1}, graph);
  force.update(std::vector<Spot>{{0, 0}, {1, 0}, {3, 0}}, {});
  EXPECT_NE(force.pull(0, 1, {0, 0}, {1, 0}, 1, attraction).x, 0);
  const std::vector<Spot> even{{0, 0}, {1, 0}, {2, 0}};  // all edges of length 1
  force.update(even, {});
  for (const Index i : {0u, 2u}) {
    EXPECT_EQ(force.pull(i, 1, even[i], even[1], 1, attraction).x, 0);
    EXPECT_EQ(force.pull(i, 1, even[i], even[1], 1, attraction).y, 0);
  }
  Matrix two(2, 3);
  two[1][0] = 1;
  const UmapOptions plain{.metric = Metric::euclidean, .n_epochs = 100};
  UmapOptions dense = plain;
  dense.dens_lambda = 2, dense.dens_var_shift = 0;
  EXPECT_EQ(Umap::fit(two, dense).embedding(), Umap::fit(two, plain).embedding());
}

TEST(UmapDensity, DegenerateRowsAndRefusals) {
  for (const Index n : {1u, 2u, 3u, 20u}) {
    const Matrix y = Umap::fit(Matrix(n, 3), {.metric = Metric::euclidean, .dens_lambda = 2}).embedding();
    for (Index i = 0; i < 2 * n; ++i) EXPECT_TRUE(std::isfinite(y.data()[i])) << n;
  }
  for (const UmapOptions& wrong : {UmapOptions{.dens_lambda = -1}, UmapOptions{.dens_lambda = NAN},
                                   UmapOptions{.dens_frac = 1.1f}, UmapOptions{.dens_var_shift = -0.1f}})
    EXPECT_EQ(fault_of([&] { Umap::fit(Matrix(5, 3), wrong); }), Fault::argument);
}

}  // namespace
}  // namespace shoal
