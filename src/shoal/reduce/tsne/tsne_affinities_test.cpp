#include "shoal/reduce/tsne/tsne_affinities_impl.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "shoal/core/random.h"

namespace shoal {
namespace {

double perplexity_of(const std::vector<float>& p) {
  double entropy = 0;
  for (const float v : p)
    if (v > 0) entropy -= v * std::log(static_cast<double>(v));
  return std::exp(entropy);
}

TEST(Calibrate, ReachesThePerplexity) {
  const Random random(Seed{4});
  for (const double scale : {1e-30, 1e-6, 1.0, 1e30})
    for (const double perplexity : {1.5, 5.0, 30.0, 80.0}) {
      std::vector<float> x(90), p(90);
      for (Index j = 0; j < 90; ++j) x[j] = static_cast<float>(scale * (1 + random.uniform(j)));
      calibrate(x, perplexity, p);
      EXPECT_NEAR(perplexity_of(p) / perplexity, 1, 1e-4) << scale;
      EXPECT_NEAR(std::accumulate(p.begin(), p.end(), 0.0), 1, 1e-5);
    }
}

TEST(Calibrate, ByHand) {  // weights 1 and 1/2: entropy ln 3 - 2/3 ln 2
  std::vector<float> p(2);
  calibrate(std::vector<float>{3, 4}, 3 / std::pow(2.0, 2.0 / 3), p);
  EXPECT_NEAR(p[0], 2.0 / 3, 1e-4);
  EXPECT_NEAR(p[1], 1.0 / 3, 1e-4);
}

TEST(Calibrate, WhatCannotBeReached) {
  std::vector<float> p(4);
  calibrate(std::vector<float>{2, 2, 2, 2}, 3, p);
  EXPECT_EQ(p, std::vector<float>(4, 0.25f));
  calibrate(std::vector<float>{1, 2, 3, 4}, 4, p);
  EXPECT_EQ(p, std::vector<float>(4, 0.25f));
  calibrate(std::vector<float>{0, 0, 0, 1}, 2, p);
  EXPECT_EQ(p, (std::vector<float>{1.0f / 3, 1.0f / 3, 1.0f / 3, 0}));
}

TEST(JointAffinities, AreSymmetricAndSumToOne) {
  const Random random(Seed{5});
  Matrix x(300, 6);
  for (Index i = 0; i < 1800; ++i) x.data()[i] = static_cast<float>(random.uniform(i) - 0.5);
  for (const Metric metric : {Metric::cosine, Metric::euclidean}) {
    const NeighbourGraph g = joint_affinities(nearest_neighbours(x, 15, metric, {}), metric, 5, {});
    ASSERT_EQ(g.points(), 300u);
    EXPECT_NEAR(std::accumulate(g.weight.begin(), g.weight.end(), 0.0), 1, 1e-5);
    for (Index i = 0; i < 300; ++i)
      for (Index e = g.first[i]; e < g.first[i + 1]; ++e) {
        Index back = g.first[g.id[e]];
        while (back < g.first[g.id[e] + 1] && g.id[back] != i) ++back;
        ASSERT_LT(back, g.first[g.id[e] + 1]);
        EXPECT_EQ(g.weight[back], g.weight[e]);
      }
  }
}

TEST(JointAffinities, HugeAndTinyDistances) {
  const Random random(Seed{6});
  const auto affinities = [&](float scale) {
    Matrix x(60, 3);
    for (Index i = 0; i < 180; ++i) x.data()[i] = scale * static_cast<float>(random.uniform(i));
    return joint_affinities(nearest_neighbours(x, 15, Metric::euclidean, {}), Metric::euclidean, 5, {})
        .weight;
  };
  const std::vector<float> one = affinities(1), huge = affinities(0x1p80f), tiny = affinities(0x1p-60f);
  ASSERT_EQ(huge.size(), one.size());
  ASSERT_EQ(tiny.size(), one.size());
  for (Index e = 0; e < one.size(); ++e) {
    EXPECT_NEAR(huge[e] / one[e], 1, 1e-3);
    EXPECT_NEAR(tiny[e] / one[e], 1, 1e-3);
  }
}

}  // namespace
}  // namespace shoal
