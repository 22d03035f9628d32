#include "shoal/watch/anomalies.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "shoal/core/random.h"
#include "tests/error_of.h"
#include "tests/matrices.h"

namespace shoal {
namespace {

TEST(AveragePrecision, ByHand) {
  EXPECT_DOUBLE_EQ(average_precision({1, 2, 3, 9, 8}, 2), 1);
  EXPECT_DOUBLE_EQ(average_precision({1, 9, 3, 8, 2}, 2), (1.0 / 2 + 2.0 / 4) / 2);
  EXPECT_DOUBLE_EQ(average_precision({1, 1, 1, 1}, 1), 0.25) << "all equal: chance";
  EXPECT_TRUE(std::isnan(average_precision({1, 2}, 0)));
}

/// Rows in three groups, and some that point anywhere at the end.
Matrix with_strangers(Index rows, Index strangers) {
  Matrix x = scattered(rows + strangers, 20, 3, 4, 0.4f);
  const Random random({99});
  for (Index i = rows; i < rows + strangers; ++i)
    for (Index j = 0; j < 20; ++j) x[i][j] = static_cast<float>(random.normal(i * 20 + j));
  return x;
}

TEST(Anomalies, LofAsDefined) {
  const Matrix x = with_strangers(60, 3);
  const Anomalies found = Anomalies::fit(Rows(x), {}, {.n_neighbors = 4, .lof_neighbors = 6}, {});
  const Index n = 63;
  // Straight from Breunig et al., by cosine distance.
  std::vector<std::vector<double>> d(n, std::vector<double>(n));
  for (Index a = 0; a < n; ++a)
    for (Index b = 0; b < n; ++b) {
      double ab = 0, aa = 0, bb = 0;
      for (Index j = 0; j < 20; ++j) {
        const double u = static_cast<double>(x[a][j]), v = static_cast<double>(x[b][j]);
        ab += u * v, aa += u * u, bb += v * v;
      }
      d[a][b] = a == b ? -1 : 1 - ab / std::sqrt(aa * bb);
    }
  std::vector<std::vector<Index>> near(n);
  for (Index a = 0; a < n; ++a) {
    for (Index b = 0; b < n; ++b)
      if (b != a) near[a].push_back(b);
    std::ranges::sort(near[a], {}, [&](Index b) { return d[a][b]; });
  }
  std::vector<double> density(n);
  for (Index a = 0; a < n; ++a) {
    double sum = 0;
    for (Index j = 0; j < 6; ++j) sum += std::max(d[a][near[a][j]], d[near[a][j]][near[near[a][j]][5]]);
    density[a] = 6 / sum;
  }
  for (Index a = 0; a < n; ++a) {
    double lof = 0, mean = 0;
    for (Index j = 0; j < 6; ++j) lof += density[near[a][j]] / density[a] / 6;
    for (Index j = 0; j < 4; ++j) mean += d[a][near[a][j]] / 4;
    EXPECT_NEAR(found.scores(AnomalyScore::lof)[a], lof, 1e-4);
    EXPECT_NEAR(found.scores(AnomalyScore::knn)[a], mean, 1e-6);
  }
}

TEST(Anomalies, FindsStrangersByEachScore) {
  const Matrix x = with_strangers(300, 3);
  Labels clusters{{}, 3};
  for (Index i = 0; i < 303; ++i) clusters.of.push_back(i < 300 ? static_cast<Label>(i % 3) : kNoise);
  const Anomalies found = Anomalies::fit(Rows(x), clusters, {}, {});
  for (Index score = 0; score < kAnomalyScores; ++score)
    EXPECT_GT(average_precision(found.scores(static_cast<AnomalyScore>(score)), 3), 0.9) << score;
  const std::vector<double> percentiles = found.percentiles(AnomalyScore::knn_lof);
  for (Index i = 300; i < 303; ++i) EXPECT_GT(percentiles[i], 0.985);
}

TEST(Anomalies, PlantedRowsScoreAsIfTheyWereThere) {
  const Matrix x = with_strangers(300, 4);
  Matrix rows(300, 20), others(4, 20);
  for (Index i = 0; i < 304; ++i) std::ranges::copy(x[i], (i < 300 ? rows[i] : others[i - 300]).begin());
  const AnomalyOptions options{.n_neighbors = 5, .lof_neighbors = 20};
  const Anomalies whole = Anomalies::fit(Rows(x), {}, options, {});
  const Anomalies part = Anomalies::fit(Rows(rows), {}, options, {});
  const auto both = part.all_scores_with(Rows(others), {});
  const auto planted = [&](AnomalyScore score) -> const std::vector<double>& {
    return both[static_cast<Index>(score)];
  };
  ASSERT_EQ(planted(AnomalyScore::knn).size(), 304u);
  for (Index i = 300; i < 304; ++i) {
    EXPECT_NEAR(planted(AnomalyScore::knn)[i], whole.scores(AnomalyScore::knn)[i], 1e-6);
    EXPECT_NEAR(planted(AnomalyScore::lof)[i] / whole.scores(AnomalyScore::lof)[i], 1, 0.02);
  }
  for (const AnomalyScore score : {AnomalyScore::mahalanobis, AnomalyScore::reconstruction})
    for (Index i = 0; i < 304; ++i)
      EXPECT_NEAR(planted(score)[i], whole.scores(score)[i], 1e-3 * (1 + whole.scores(score)[i])) << i;
  EXPECT_GT(average_precision(planted(AnomalyScore::knn_lof), 4), 0.9);
}

TEST(Anomalies, EqualRowsAndFew) {
  Matrix same(20, 4);
  for (Index i = 0; i < 20; ++i) same[i][0] = 1;
  const Anomalies found = Anomalies::fit(Rows(same), {}, {}, {});
  for (Index score = 0; score < kAnomalyScores; ++score)
    for (const double v : found.scores(static_cast<AnomalyScore>(score))) EXPECT_TRUE(std::isfinite(v));
  for (const double p : found.percentiles(AnomalyScore::knn_lof)) EXPECT_DOUBLE_EQ(p, 0.5);
  expect_error(Fault::data, "at least 3", [] { Anomalies::fit(Rows(Matrix(2, 3)), {}, {}, {}); });
  const Anomalies few = Anomalies::fit(Rows(scattered(3, 4, 2, 1)), {}, {}, {});
  EXPECT_EQ(few.neighbours().k, 2u);
}

}  // namespace
}  // namespace shoal
