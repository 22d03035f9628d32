#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "shoal/core/error.h"
#include "shoal/core/names.h"
#include "shoal/measure/bootstrap.h"
#include "shoal/measure/rank_correlation.h"
#include "shoal/measure/ranking.h"
#include "shoal/measure/scored_pairs.h"
#include "shoal/measure/similarity.h"
#include "tests/error_of.h"
#include "tests/matrices.h"

namespace shoal {
namespace {

using Json = nlohmann::json;

const Json& golden() {
  static const Json all = Json::parse(std::ifstream(SHOAL_SOURCE "/tests/golden/evaluators.json"));
  return all;
}

Matrix vectors_of(const Json& rows) {
  const Json& all = golden()["vectors"];
  Matrix out(rows.size(), all[0].size());
  for (Index i = 0; i < rows.size(); ++i)
    for (Index j = 0; j < out.cols(); ++j) out[i][j] = all[rows[i].get<Index>()][j].get<float>();
  return out;
}

TEST(Similarity, FourKinds) {
  const Matrix a = from({{3, 4}, {0, 0}, {0.1f, 0.7f}}), b = from({{4, 3}, {1, 1}, {0.1f, 0.7f}});
  const auto of = [&](Similarity by) { return pair_similarities(a.view(), b.view(), by); };
  EXPECT_FLOAT_EQ(static_cast<float>(of(Similarity::cosine)[0]), 24.0f / 25);
  EXPECT_EQ(of(Similarity::cosine)[1], 0);
  EXPECT_EQ(of(Similarity::cosine)[2], 1) << "equal rows";
  EXPECT_EQ(of(Similarity::dot)[0], 24);
  EXPECT_EQ(of(Similarity::manhattan)[0], -2);
  EXPECT_FLOAT_EQ(static_cast<float>(of(Similarity::euclidean)[0]), -std::sqrt(2.0f));
  EXPECT_EQ(of(Similarity::euclidean)[2], 0);
  const Matrix short_one = from({{1, 2}});
  EXPECT_EQ(error_of([&] { pair_similarities(a.view(), short_one.view(), Similarity::dot); }).fault,
            Fault::argument);
}

TEST(RankedLists, DrawsAreListsWithRepetition) {
  const std::vector<double> a{3, 1, 4, 1, 5, 9, 2, 6}, b{2, 7, 1, 8, 2, 8, 1, 8};
  const std::vector<std::uint32_t> times{2, 0, 1, 3, 0, 1, 1, 0};
  std::vector<double> x, y;
  for (Index i = 0; i < a.size(); ++i)
    for (Index t = 0; t < times[i]; ++t) x.push_back(a[i]), y.push_back(b[i]);
  EXPECT_DOUBLE_EQ(RankedLists(a, b).spearman(times), spearman(x, y));
  EXPECT_NEAR(pearson(a, b, times), pearson(x, y), 1e-14);
}

TEST(Pearson, ConstantListsHaveNone) {
  EXPECT_DOUBLE_EQ(pearson(std::vector<double>{1, 2, 3}, std::vector<double>{2, 4, 6}), 1);
  EXPECT_EQ(pearson(std::vector<double>{1, 2, 3}, std::vector<double>{0.1, 0.1, 0.1}), 0);
}

TEST(ScoredPairs, EqualSentenceTransformers) {
  const Json& task = golden()["pairs"];
  const Matrix a = vectors_of(task["first"]), b = vectors_of(task["second"]);
  const auto positive = task["labels"].get<std::vector<std::uint8_t>>();
  for (const Similarity by :
       {Similarity::cosine, Similarity::dot, Similarity::manhattan, Similarity::euclidean}) {
    const auto expected = [&](const char* metric) {
      return task["metrics"][std::string(name_of(by)) + "_" + metric].get<double>();
    };
    const PairScores s = ScoredPairs(pair_similarities(a.view(), b.view(), by), positive).all();
    const double sign = by == Similarity::cosine || by == Similarity::dot ? 1 : -1;  // theirs are distances
    EXPECT_NEAR(s.accuracy, expected("accuracy"), 1e-12);
    EXPECT_NEAR(sign * s.accuracy_threshold, expected("accuracy_threshold"),
                1e-6 * (1 + std::abs(expected("accuracy_threshold"))));
    EXPECT_NEAR(s.f1, expected("f1"), 1e-12);
    EXPECT_NEAR(sign * s.f1_threshold, expected("f1_threshold"),
                1e-6 * (1 + std::abs(expected("f1_threshold"))));
    EXPECT_NEAR(s.precision, expected("precision"), 1e-12);
    EXPECT_NEAR(s.recall, expected("recall"), 1e-12);
    EXPECT_NEAR(s.ap, expected("ap"), 1e-12);
    EXPECT_NEAR(s.mcc, expected("mcc"), 1e-12);
  }
}

TEST(ScoredPairs, TiesAndOneClass) {
  const std::vector<double> equal(4, 0.5);
  const std::vector<std::uint8_t> mixed{1, 0, 0, 0}, none(4), all(4, 1);
  const PairScores s = ScoredPairs(equal, mixed).all();
  EXPECT_DOUBLE_EQ(s.accuracy, 0.75);
  EXPECT_GT(s.accuracy_threshold, 0.5) << "nothing is taken";
  EXPECT_DOUBLE_EQ(s.ap, 0.25);
  EXPECT_DOUBLE_EQ(s.f1, 0.4);
  EXPECT_EQ(s.mcc, 0);
  EXPECT_EQ(ScoredPairs(equal, none).all().accuracy, 1);
  EXPECT_EQ(ScoredPairs(equal, none).all().ap, 0);
  EXPECT_EQ(ScoredPairs(equal, all).all().ap, 1);
  // A draw is a list with repetition.
  const std::vector<double> scores{0.9, 0.1, 0.8, 0.3};
  const std::vector<std::uint8_t> positive{1, 1, 0, 0};
  const std::vector<std::uint32_t> times{1, 2, 0, 1};
  const PairScores drawn = ScoredPairs(scores, positive).of(times);
  const PairScores listed =
      ScoredPairs(std::vector<double>{0.9, 0.1, 0.1, 0.3}, std::vector<std::uint8_t>{1, 1, 1, 0}).all();
  EXPECT_DOUBLE_EQ(drawn.ap, listed.ap);
  EXPECT_DOUBLE_EQ(drawn.f1_threshold, listed.f1_threshold);
  EXPECT_DOUBLE_EQ(drawn.mcc, listed.mcc);
}

TEST(Ranking, ByHand) {
  const std::vector<std::uint8_t> hits{0, 1, 0, 1};
  const std::vector<Index> at{1, 2, 10};
  const FoundScores s = found_scores(hits, 3, at, 2, 100);
  EXPECT_EQ(s.accuracy, (std::vector<double>{0, 1, 1}));
  EXPECT_EQ(s.precision, (std::vector<double>{0, 0.5, 0.2}));
  EXPECT_EQ(s.recall, (std::vector<double>{0, 1.0 / 3, 2.0 / 3}));
  EXPECT_DOUBLE_EQ(s.mrr, 0.5);
  EXPECT_DOUBLE_EQ(s.ndcg, (1 / std::log2(3)) / (1 + 1 / std::log2(3)));
  EXPECT_DOUBLE_EQ(s.map, (0.5 + 0.5) / 3);
}

TEST(Ranking, AModelToWhichAllIsAlikeDoesNotLookGood) {
  const std::vector<double> equal(4, 1.0);
  const std::vector<std::uint8_t> first{1, 0, 0, 0};
  const OrderScores s = order_scores(equal, first, 10);
  EXPECT_DOUBLE_EQ(s.mrr, 0.25);
  EXPECT_DOUBLE_EQ(s.ap, 0.25);
  EXPECT_LT(s.ndcg, 0.7);
  EXPECT_EQ(order_scores(equal, first, 3).mrr, 0);
  EXPECT_DOUBLE_EQ(
      order_scores(std::vector<double>{1, 2, 3, 0}, std::vector<std::uint8_t>{1, 0, 0, 1}, 10).mrr, 1.0 / 3);
}

TEST(Bootstrap, DrawsAreTheSameForTwoModels) {
  const auto mean_of = [](std::vector<double> values) {
    return Measurable{{values.size()}, [values](DrawCounts times) {
                        double sum = 0;
                        for (Index i = 0; i < values.size(); ++i) sum += times[i] * values[i];
                        return sum / static_cast<double>(values.size());
                      }};
  };
  std::vector<double> a, b;
  const Random random({3});
  for (Index i = 0; i < 400; ++i) a.push_back(random.normal(i)), b.push_back(a.back() + 0.1);
  shoal::Run one, three;
  one.threads = 1, three.threads = 3;
  const Resampled x = resample(mean_of(a), 500, {1}, one), y = resample(mean_of(b), 500, {1}, three);
  EXPECT_EQ(x.drawn, resample(mean_of(a), 500, {1}, three).drawn);
  const Measured alone = measured(x), apart = difference(y, x);
  EXPECT_NEAR((alone.high - alone.low) / 2, 1.96 / 20, 0.01) << "of a mean of 400";
  EXPECT_NEAR(apart.value, 0.1, 1e-12);
  EXPECT_NEAR(apart.high - apart.low, 0, 1e-9) << "all pairs differ by the same";
  const Resampled none = resample(mean_of(a), 0, {1}, one);
  EXPECT_EQ(measured(none).low, none.value);
}

}  // namespace
}  // namespace shoal
