#include "shoal/explain/association.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "shoal/core/error.h"
#include "shoal/explain/contingency.h"
#include "shoal/explain/means.h"
#include "shoal/explain/p_values.h"

namespace shoal {
namespace {

using Json = nlohmann::json;

Texts texts_of(const std::vector<std::string>& lines) {
  Texts texts;
  for (const std::string& line : lines) texts.add(line);
  return texts;
}

/// Equal to 1e-9 of the expected value, or to 1e-12 where that is near 0.
void expect_close(double found, double expected, const std::string& what) {
  EXPECT_NEAR(found, expected, std::max(1e-12, 1e-9 * std::fabs(expected))) << what;
}
/// p-values, which may be tiny and right all the same.
void expect_close_p(double found, double expected, const std::string& what) {
  EXPECT_NEAR(found, expected, 1e-9 * expected) << what;
}

const Json& golden() {
  static const Json all = [] {
    std::ifstream in(SHOAL_SOURCE "/tests/golden/association.json");
    return Json::parse(in);
  }();
  return all;
}

TEST(Association, WhoBuys) {
  const Labels clusters{.of = {0, 0, 0, 1, 1, 1, kNoise}, .count = 2};
  const Outcome outcome = read_outcome(texts_of({"yes", "yes", "yes", "no", "no", "", "yes"}));
  const Association found = associate(clusters, outcome);
  EXPECT_EQ(found.rows, 5u);
  EXPECT_EQ(found.missing, 1u);
  EXPECT_EQ(found.unclustered, 1u);
  EXPECT_EQ(found.categories, (std::vector<std::string>{"no", "yes"}));
  ASSERT_EQ(found.tests.size(), 2u);
  EXPECT_EQ(found.tests[0].rows, 3u);
  EXPECT_EQ(found.tests[0].here, 1);
  EXPECT_EQ(found.tests[0].elsewhere, 0);
  EXPECT_DOUBLE_EQ(found.tests[0].r, 1);
  EXPECT_DOUBLE_EQ(found.tests[1].r, -1);
  EXPECT_DOUBLE_EQ(found.tests[0].p, 0.1);  // one table of C(5, 3)
  EXPECT_DOUBLE_EQ(found.tests[0].corrected_p, 0.2);
  EXPECT_DOUBLE_EQ(found.overall.statistic, 5);
  EXPECT_DOUBLE_EQ(found.overall.effect, 1);
  EXPECT_NE(found.overall.remark.find("100% of the cells"), std::string::npos) << found.overall.remark;
}

TEST(Association, TablesAsSciPyAndStatsmodels) {
  for (const Json& table : golden().at("tables")) {
    const std::string what = table.at("counts").dump();
    const auto counts = table.at("counts").get<std::vector<std::vector<Index>>>();
    const ChiSquare test = chi_square_test(counts);
    expect_close(test.statistic, table.at("chi_square"), what);
    EXPECT_EQ(test.df, table.at("df"));
    expect_close_p(test.p, table.at("p"), what);
    expect_close(test.cramers_v, table.at("cramers_v"), what);
    expect_close(test.smallest_expected, table.at("smallest_expected"), what);
    for (const Json& cell : table.at("cells")) {
      const auto n = cell.at("counts").get<std::vector<Index>>();
      const FourCounts four{n[0], n[1], n[2], n[3]};
      expect_close_p(fisher_exact_p(four), cell.at("p"), cell.dump());
      const OddsRatio odds = odds_ratio(four);
      expect_close(odds.ratio, cell.at("ratio"), cell.dump());
      expect_close(odds.low, cell.at("low"), cell.dump());
      expect_close(odds.high, cell.at("high"), cell.dump());
      expect_close(phi(four), cell.at("phi"), cell.dump());
    }
  }
}

/// Labels and numbers of groups, in turns, so that no order helps.
std::pair<Labels, Outcome> shuffled(const std::vector<std::vector<double>>& groups) {
  std::pair<Labels, Outcome> out;
  out.first.count = groups.size();
  out.second.kind = OutcomeKind::numbers;
  for (Index i = 0; i < 1000; ++i) {
    for (Index g = 0; g < groups.size(); ++g) {
      if (i >= groups[g].size()) continue;
      out.first.of.push_back(static_cast<Label>(g));
      out.second.numbers.push_back(groups[g][i]);
    }
  }
  return out;
}

TEST(Association, NumbersAsSciPyAndStatsmodels) {
  for (const Json& sample : golden().at("numbers")) {
    const auto [labels, outcome] = shuffled(sample.at("groups").get<std::vector<std::vector<double>>>());
    const Association found = associate(labels, outcome, Correction::none);
    expect_close(found.overall.statistic, sample.at("f"), "f");
    expect_close_p(found.overall.p, sample.at("p"), "p of f");
    expect_close(found.overall.effect, sample.at("eta_squared"), "eta squared");
    EXPECT_EQ(found.tests.size(), labels.count);
    for (const ClusterTest& test : found.tests) {
      const Json& expected = sample.at("tests").at(static_cast<Index>(test.cluster));
      expect_close(test.effect, expected.at("difference"), "difference");
      expect_close(test.low, expected.at("low"), "low");
      expect_close(test.high, expected.at("high"), "high");
      expect_close(test.t, expected.at("t"), "t");
      expect_close(test.df, expected.at("df"), "df");
      expect_close_p(test.p, expected.at("p"), "p");
      expect_close(test.cohens_d, expected.at("cohens_d"), "d");
      expect_close(test.hedges_g, expected.at("hedges_g"), "g");
      expect_close(test.r, expected.at("r"), "r");
      EXPECT_EQ(test.corrected_p, test.p);
    }
  }
}

TEST(Correction, AsStatsmodels) {
  for (const Json& sample : golden().at("corrections")) {
    const auto p = sample.at("p").get<std::vector<double>>();
    for (auto [correction, name] : {std::pair{Correction::bonferroni, "bonferroni"},
                                    {Correction::holm, "holm"},
                                    {Correction::benjamini_hochberg, "benjamini_hochberg"}}) {
      const auto found = corrected_p_values(p, correction);
      for (Index i = 0; i < p.size(); ++i) expect_close_p(found[i], sample.at(name).at(i), name);
    }
    EXPECT_EQ(corrected_p_values(p, Correction::none), p);
  }
}

TEST(Correction, WhatWasNotTestedIsNotCounted) {
  const auto found = corrected_p_values({0.01, NAN, 0.04}, Correction::bonferroni);
  EXPECT_DOUBLE_EQ(found[0], 0.02);
  EXPECT_TRUE(std::isnan(found[1]));
  EXPECT_DOUBLE_EQ(found[2], 0.08);
  for (Correction c :
       {Correction::none, Correction::holm, Correction::bonferroni, Correction::benjamini_hochberg})
    EXPECT_TRUE(corrected_p_values({}, c).empty());
}

TEST(Association, CategoriesEachAgainstTheRest) {
  const Labels clusters{.of = {0, 0, 0, 1, 1, 1, 2}, .count = 4};
  const Outcome outcome = read_outcome(texts_of({"a", "a", "b", "b", "c", "c", "c"}));
  EXPECT_EQ(outcome.kind, OutcomeKind::categories);
  const Association found = associate(clusters, outcome);
  EXPECT_EQ(found.tests.size(), 9u);  // cluster 3 has no rows
  EXPECT_EQ(found.tests[0].cluster, 0);
  EXPECT_EQ(found.tests[0].category, 2);
  EXPECT_DOUBLE_EQ(found.tests[0].r, -0.75);  // none of its 3 rows, 3 of the 4 others
  for (Index i = 1; i < 9; ++i) EXPECT_GE(std::fabs(found.tests[i - 1].r), std::fabs(found.tests[i].r));
  EXPECT_EQ(found.overall.df, 4);
}

TEST(Association, WhatCannotBeSaidIsNaN) {
  // One cluster has all rows: nothing to compare with.
  const Association alone = associate({.of = {0, 0, 0}, .count = 1}, read_outcome(texts_of({"a", "b", "a"})));
  ASSERT_EQ(alone.tests.size(), 1u);
  EXPECT_TRUE(std::isnan(alone.tests[0].p) && std::isnan(alone.tests[0].r) &&
              std::isnan(alone.tests[0].effect));
  EXPECT_TRUE(std::isnan(alone.overall.p));
  EXPECT_EQ(alone.overall.remark, "");
  // All rows with an outcome are noise.
  EXPECT_TRUE(
      associate({.of = {kNoise, kNoise}, .count = 2}, read_outcome(texts_of({"a", "b"}))).tests.empty());
  // A cluster of one number has a mean and a correlation, but no t.
  const Association one =
      associate({.of = {0, 1, 1, 1}, .count = 2}, read_outcome(texts_of({"9", "1", "2", "3"})));
  EXPECT_EQ(one.tests[0].here, 9);
  EXPECT_EQ(one.tests[0].effect, 7);
  EXPECT_GT(one.tests[0].r, 0.9);
  EXPECT_TRUE(std::isnan(one.tests[0].p) && std::isnan(one.tests[0].low));
  // Numbers that differ between clusters only.
  const Association sharp = associate({.of = {0, 0, 1, 1, 2, 2}, .count = 3},
                                      read_outcome(texts_of({"1", "1", "2", "2", "3", "3"})));
  EXPECT_DOUBLE_EQ(sharp.overall.effect, 1);
  EXPECT_TRUE(std::isnan(sharp.overall.p));
  EXPECT_EQ(associate({.of = {}, .count = 0}, Outcome{}).rows, 0u);
}

TEST(Association, HugeNumbersDoNotThrow) {
  for (const char* huge : {"1e308", "1e-308", "-1e200"})
    EXPECT_EQ(
        associate({.of = {0, 0, 1, 1}, .count = 2}, read_outcome(texts_of({huge, "0", "-3", huge}))).rows,
        4u);
}

TEST(Association, RefusesWhatDoesNotAgree) {
  const Outcome outcome = read_outcome(texts_of({"a", "b"}));
  EXPECT_THROW(associate({.of = {0}, .count = 1}, outcome), Error);
  EXPECT_THROW(associate({.of = {0, 1}, .count = 1}, outcome), Error);
  EXPECT_THROW(associate({.of = {0, -2}, .count = 1}, outcome), Error);
}

TEST(PValues, FarOutAndUndefined) {
  EXPECT_GT(chi_square_p(1400, 1), 0);
  EXPECT_LT(chi_square_p(1400, 1), 1e-300);
  EXPECT_EQ(chi_square_p(1e6, 1), 0);
  EXPECT_EQ(chi_square_p(0, 3), 1);
  EXPECT_EQ(t_p(0, 5), 1);
  EXPECT_EQ(t_p(INFINITY, 5), 0);
  EXPECT_EQ(f_p(INFINITY, 2, 5), 0);
  for (double p : {chi_square_p(NAN, 1), chi_square_p(1, 0), chi_square_p(-1, 1), t_p(NAN, 1), t_p(1, NAN),
                   f_p(1, 0, 3), f_p(1, 3, INFINITY), t_quantile(0.5, -1), t_quantile(1, 3)})
    EXPECT_TRUE(std::isnan(p));
}

TEST(Contingency, EmptyMarginsAndManyRows) {
  EXPECT_EQ(fisher_exact_p({0, 0, 3, 4}), 1);
  EXPECT_EQ(fisher_exact_p({0, 0, 0, 0}), 1);
  EXPECT_TRUE(std::isnan(phi({0, 0, 3, 4})));
  EXPECT_EQ(fisher_exact_p({1000000, 0, 0, 1000000}), 0);  // no double is so small
  EXPECT_GT(fisher_exact_p({2500000, 2500000, 2500000, 2500000}), 0.9999);
  EXPECT_TRUE(std::isnan(chi_square_test({}).p));
  EXPECT_TRUE(std::isnan(chi_square_test({{1, 2}, {0, 0}}).p));
  EXPECT_EQ(chi_square_test({{1, 0, 2}, {0, 0, 0}, {3, 0, 4}}).df, 1);
}

TEST(Moments, JoinedAsTaken) {
  Moments a{2, 1.5, 0.5}, none;
  a.join({3, 4, 2});
  EXPECT_DOUBLE_EQ(a.n, 5);
  EXPECT_DOUBLE_EQ(a.mean, 3);
  EXPECT_DOUBLE_EQ(a.squares, 10);  // 1 2 3 4 5
  a.join({});
  EXPECT_DOUBLE_EQ(a.mean, 3);
  none.join(a);
  EXPECT_DOUBLE_EQ(none.squares, 10);
}

TEST(Association, HugeNumbersGiveNoInfinity) {
  const Labels labels{.of = {0, 0, 0, 1, 1, 1}, .count = 2};
  Outcome small{.kind = OutcomeKind::numbers, .numbers = {1, 2, 3, 6, 7, 9}};
  for (const double scale : {1e19, 1e26, 1e100, 1e300}) {
    Outcome huge = small;
    for (double& x : huge.numbers) x *= scale;
    const Association a = associate(labels, small, Correction::none),
                      b = associate(labels, huge, Correction::none);
    EXPECT_NEAR(a.overall.p, b.overall.p, 1e-12);
    EXPECT_NEAR(a.tests[0].t, b.tests[0].t, 1e-9) << scale;
    EXPECT_NEAR(a.tests[0].df, b.tests[0].df, 1e-9);
    EXPECT_NEAR(a.tests[0].here, b.tests[0].here / scale, 1e-9);
    EXPECT_NEAR(a.tests[0].low, b.tests[0].low / scale, 1e-9);
  }
}

}  // namespace
}  // namespace shoal
