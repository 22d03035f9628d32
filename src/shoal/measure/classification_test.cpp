#include "shoal/measure/classification.h"

#include <gtest/gtest.h>

#include "shoal/core/error.h"

namespace shoal {
namespace {

/// scipy.stats.binomtest(8, 10).proportion_ci(method="wilson"): 0.49016247, 0.94331784.
TEST(Classification, WilsonIntervals) {
  const Interval i = wilson_interval(8, 10);
  EXPECT_NEAR(i.low, 0.49016247, 1e-8);
  EXPECT_NEAR(i.high, 0.94331784, 1e-8);
  for (double trials = 1; trials < 100; ++trials) {
    EXPECT_EQ(wilson_interval(0, trials).low, 0);
    EXPECT_EQ(wilson_interval(trials, trials).high, 1);
  }
  EXPECT_EQ(wilson_interval(0, 0).low, 0);
  EXPECT_EQ(wilson_interval(0, 0).high, 1);
}

/// sklearn.metrics.f1_score of [0, 0, 1, 2] and [0, 1, 1, 1].
TEST(Classification, ScoresMadeByHand) {
  const ClassificationScores s = classification_scores({{0}, {0}, {1}, {2}}, {{0}, {1}, {1}, {1}}, 4);
  EXPECT_EQ(s.accuracy, 0.5);
  EXPECT_NEAR(s.labels[0].f1, 2.0 / 3, 1e-12);
  EXPECT_NEAR(s.labels[1].precision, 1.0 / 3, 1e-12);
  EXPECT_EQ(s.labels[1].recall, 1);
  EXPECT_EQ(s.labels[2].f1, 0);
  EXPECT_NEAR(s.macro_f1, (2.0 / 3 + 0.5) / 3, 1e-12);  // label 3 stands nowhere
  EXPECT_EQ(s.micro_f1, 0.5);
  EXPECT_THROW(classification_scores({{0}}, {}, 1), Error);
}

TEST(Classification, SeveralLabelsARow) {
  const ClassificationScores s = classification_scores({{0, 1}, {1}, {}}, {{0}, {1}, {0}}, 2);
  EXPECT_NEAR(s.accuracy, 1.0 / 3, 1e-12);
  EXPECT_NEAR(s.labels[0].f1, 2.0 / 3, 1e-12);
  EXPECT_NEAR(s.labels[1].f1, 2.0 / 3, 1e-12);
  EXPECT_NEAR(s.micro_f1, 4.0 / 6, 1e-12);
  EXPECT_LT(s.labels[0].f1_interval.low, s.labels[0].f1);
  EXPECT_GT(s.labels[0].f1_interval.high, s.labels[0].f1);
}

TEST(Classification, ConfusionCountsNoise) {
  const auto counts = confusion_matrix({0, 1, kNoise, 1}, {1, 1, 0, kNoise}, 2);
  EXPECT_EQ(counts[0][1], 1u);
  EXPECT_EQ(counts[1][1], 1u);
  EXPECT_EQ(counts[2][0], 1u);
  EXPECT_EQ(counts[1][2], 1u);
}

TEST(Classification, AreaUnderRoc) {
  EXPECT_EQ(area_under_roc(std::vector<double>{3, 4}, std::vector<double>{1, 2}), 1);
  EXPECT_EQ(area_under_roc(std::vector<double>{1, 1}, std::vector<double>{1}), 0.5);
  EXPECT_EQ(area_under_roc(std::vector<double>{0.8, 0.2}, std::vector<double>{0.5, 0.2}), 0.625);
  EXPECT_EQ(area_under_roc(std::vector<double>(), std::vector<double>{0.5}), 0.5);
  const std::vector<bool> positive{false, true, false, true};
  EXPECT_EQ(area_under_roc(std::vector<double>{1, 2, 3, 4}, positive), 0.75);
}

}  // namespace
}  // namespace shoal
