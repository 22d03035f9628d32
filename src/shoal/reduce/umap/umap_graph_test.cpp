#include "shoal/reduce/umap/umap_graph_impl.h"

#include <gtest/gtest.h>

#include <cmath>

#include "shoal/core/random.h"
#include "shoal/near/exact.h"
#include "shoal/reduce/umap/umap_curve_impl.h"
#include "shoal/reduce/umap/umap_force_impl.h"

namespace shoal {
namespace {

// umap.umap_.find_ab_params(spread, min_dist) of umap-learn 0.5.12.
TEST(UmapCurve, AsUmapLearn) {
  struct Case {
    float min_dist, spread;
    double a, b;
  };
  for (const Case& c : {Case{0.1f, 1.0f, 1.576943, 0.895061}, Case{0.0f, 1.0f, 1.932808, 0.790495},
                        Case{0.5f, 1.0f, 0.583030, 1.334167}, Case{0.1f, 3.0f, 0.295656, 0.824653}}) {
    const Curve curve = fit_curve(c.min_dist, c.spread);
    EXPECT_NEAR(curve.a, c.a, 1e-4 * c.a) << c.min_dist << ' ' << c.spread;
    EXPECT_NEAR(curve.b, c.b, 1e-4 * c.b) << c.min_dist << ' ' << c.spread;
  }
}

// In units of the spread the curve is one and the same: a spread^(2b) and b do not depend on it.
TEST(UmapCurve, AnySpreadThatIsAllowed) {
  for (const float share : {0.0f, 0.1f, 0.5f, 1.0f}) {
    const Curve one = fit_curve(share, 1);
    for (const float spread : {0.01f, 0.1f, 10.0f, 100.0f}) {
      const Curve curve = fit_curve(share * spread, spread);
      EXPECT_NEAR(curve.b, one.b, 1e-3 * one.b) << share << ' ' << spread;
      EXPECT_NEAR(curve.a * std::pow(spread, 2 * curve.b), one.a, 1e-3 * one.a) << share << ' ' << spread;
    }
  }
}

float weight(const NeighbourGraph& g, Index i, std::uint32_t j) {
  for (Index e = g.first[i]; e < g.first[i + 1]; ++e)
    if (g.id[e] == j) return g.weight[e];
  return 0;
}

// Three points on a line at 0, 1, 3 with both others as neighbours. The nearest has strength 1, so the other
// has log2(3) - 1 = 0.58496; united, 1 and 0.58496 give 1.
TEST(UmapGraph, ByHand) {
  const Neighbours near{2, {1, 2, 0, 2, 1, 0}, {1, 3, 1, 2, 2, 3}};
  const NeighbourGraph g = fuzzy_graph(near, local_scales(near, {}), {});
  ASSERT_EQ(g.points(), 3u);
  EXPECT_EQ(g.id, (std::vector<std::uint32_t>{1, 2, 0, 2, 0, 1}));
  EXPECT_NEAR(weight(g, 0, 1), 1, 1e-6);
  EXPECT_NEAR(weight(g, 1, 2), 1, 1e-6);
  const double other = std::log2(3.0) - 1;
  EXPECT_NEAR(weight(g, 0, 2), other + other - other * other, 1e-5);
}

TEST(UmapGraph, SymmetricToTheBitAndSorted) {
  Matrix x(400, 5);
  const Random random(Seed{3});
  for (Index i = 0; i < 2000; ++i) x.data()[i] = static_cast<float>(random.uniform(i));
  const Neighbours near = nearest_neighbours(x, 14, Metric::euclidean, {});
  const NeighbourGraph g = fuzzy_graph(near, local_scales(near, {}), {});
  for (Index i = 0; i < 400; ++i)
    for (Index e = g.first[i]; e < g.first[i + 1]; ++e) {
      EXPECT_GT(g.weight[e], 0);
      EXPECT_LE(g.weight[e], 1);
      EXPECT_EQ(g.weight[e], weight(g, g.id[e], static_cast<std::uint32_t>(i)));
      if (e > g.first[i]) {
        EXPECT_LT(g.id[e - 1], g.id[e]);
      }
    }
}

TEST(UmapGraph, EqualPointsHoldFast) {
  const Neighbours near{2, {1, 2, 0, 2, 0, 1}, {0, 0, 0, 0, 0, 0}};
  for (float w : fuzzy_graph(near, local_scales(near, {}), {}).weight) EXPECT_EQ(w, 1);
}

TEST(UmapForce, WithinATenthOfAPercent) {
  const ForceTable table([](const float* x, float* y, Index n) {
    for (Index i = 0; i < n; ++i) y[i] = 1 / (x[i] * x[i]);
  });
  for (float x = 1e-4f; x < 60000; x *= 1.01f) EXPECT_NEAR(table(x) * x * x, 1, 1e-3) << x;
  EXPECT_EQ(table(0), table(0x1p-14f));
  EXPECT_EQ(table(std::nanf("")), table(0));
  EXPECT_NEAR(table(INFINITY), table(0x1p16f), 1e-6 * table(0x1p16f));
}

}  // namespace
}  // namespace shoal
