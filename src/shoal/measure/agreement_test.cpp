#include "shoal/measure/agreement.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "shoal/core/error.h"
#include "shoal/core/random.h"
#include "tests/error_of.h"

namespace shoal {
namespace {

using Json = nlohmann::json;

Contingency table(const std::vector<Label>& truth, const std::vector<Label>& found) {
  return Contingency(std::span(truth), std::span(found));
}

TEST(Agreement, CountsWhatMeetsWhat) {
  const Contingency t = table({5, 5, 0, -1, 0, 5}, {1, 1, 2, 2, 2, -1});
  EXPECT_EQ(t.rows, 6u);
  EXPECT_EQ(t.classes, (std::vector<Label>{-1, 0, 5}));
  EXPECT_EQ(t.clusters, (std::vector<Label>{-1, 1, 2}));
  EXPECT_EQ(t.class_sizes, (std::vector<Index>{1, 2, 3}));
  EXPECT_EQ(t.cluster_sizes, (std::vector<Index>{1, 2, 3}));
  EXPECT_EQ(t.cells, (std::vector<Contingency::Cell>{{0, 2, 1}, {1, 2, 2}, {2, 0, 1}, {2, 1, 2}}));
}

TEST(Agreement, AnswerMadeByHand) {
  // Pairs of the six rows: 3 + 1 are together by the first, 1 + 1 + 1 by the second, 2 by both.
  const Agreement a = agreement(table({0, 0, 0, 1, 1, 2}, {0, 0, 1, 2, 2, 1}));
  EXPECT_NEAR(a.rand, 12.0 / 15, 1e-15);  // 2 by both, 10 by neither
  EXPECT_NEAR(a.adjusted_rand, (2 - 4 * 3 / 15.0) / (3.5 - 4 * 3 / 15.0), 1e-15);
  EXPECT_NEAR(a.fowlkes_mallows, 2 / std::sqrt(3.0 * 4.0), 1e-15);
  // Given the cluster, only one of two rows in one cluster of three is in doubt.
  const double h_classes = (3 * std::log(2.0) + 2 * std::log(3.0) + std::log(6.0)) / 6;
  EXPECT_NEAR(a.mutual_information, h_classes - 2.0 / 6 * std::log(2.0), 1e-15);
}

TEST(Agreement, EqualsScikitLearn) {
  std::ifstream in(SHOAL_SOURCE "/tests/golden/agreement.json");
  const Json cases = Json::parse(in).at("cases");
  ASSERT_EQ(cases.size(), 31u);
  for (const Json& c : cases) {
    const Agreement a = agreement(table(c.at("truth"), c.at("found")));
    const auto is = [&](const char* name, double value) {
      EXPECT_NEAR(value, c.at(name).get<double>(), 1e-12) << name << ": " << c.at("name");
    };
    is("rand", a.rand);
    is("adjusted_rand", a.adjusted_rand);
    is("fowlkes_mallows", a.fowlkes_mallows);
    is("normalized_mutual_information", a.normalized_mutual_information);
    is("adjusted_mutual_information", a.adjusted_mutual_information);
    is("homogeneity", a.homogeneity);
    is("completeness", a.completeness);
    is("v_measure", a.v_measure);
    EXPECT_EQ(a.adjusted_rand, adjusted_rand(table(c.at("truth"), c.at("found"))));
  }
}

/// AMI with every hypergeometric probability from factorials, added over all pairs of clusters.
double naive_expected(const Contingency& t) {
  const auto lf = [](Index v) { return std::lgamma(static_cast<double>(v) + 1); };
  const Index n = t.rows;
  double sum = 0;
  for (const Index a : t.class_sizes)
    for (const Index b : t.cluster_sizes)
      for (Index m = std::max<Index>(1, a + b > n ? a + b - n : 0); m <= std::min(a, b); ++m)
        sum += std::exp(lf(a) + lf(b) + lf(n - a) + lf(n - b) - lf(n) - lf(m) - lf(a - m) - lf(b - m) -
                        lf(n + m - a - b)) *
               static_cast<double>(m) / static_cast<double>(n) *
               std::log(static_cast<double>(n) * static_cast<double>(m) /
                        (static_cast<double>(a) * static_cast<double>(b)));
  return sum;
}

TEST(Agreement, ExpectedInformationOfManyRows) {
  const Random random({1});
  std::vector<Label> truth, found;
  for (Index i = 0; i < 20000; ++i) {
    const double u = random.uniform(i);
    truth.push_back(static_cast<Label>(u * u * 12));
    found.push_back(static_cast<Label>(random.below(100000 + i, 3) == 0 ? truth[i] : random.below(i, 9)));
  }
  const Contingency t = table(truth, found);
  const Agreement a = agreement(t);
  const double mean_entropy = a.mutual_information / a.normalized_mutual_information;
  const double expected = naive_expected(t);
  EXPECT_GT(expected, 1e-3);
  EXPECT_NEAR(a.adjusted_mutual_information, (a.mutual_information - expected) / (mean_entropy - expected),
              1e-9);
}

TEST(Agreement, NoOverflowOfPairsOfManyRows) {
  std::vector<Label> truth(300000), found(300000);  // 9e10 pairs, and products of such
  for (Index i = 0; i < truth.size(); ++i)
    truth[i] = static_cast<Label>(i % 2), found[i] = static_cast<Label>(i % 4);
  const double n = 300000, all = n * (n - 1), truth_pairs = n * (n / 2 - 1), found_pairs = n * (n / 4 - 1);
  const double chance = truth_pairs * found_pairs / all;
  EXPECT_NEAR(agreement(table(truth, found)).adjusted_rand,
              (found_pairs - chance) / ((truth_pairs + found_pairs) / 2 - chance), 1e-12);
}

TEST(VMeasure, OfATableIsThatOfItsRows) {
  const std::vector<Label> truth{0, 0, 0, 1, 1, 2, 2, 2}, found{0, 0, 1, 1, 1, 0, 2, 2};
  std::vector<double> counts(9);
  for (Index i = 0; i < truth.size(); ++i)
    counts[static_cast<Index>(truth[i]) * 3 + static_cast<Index>(found[i])] += 2;  // weights change nothing
  EXPECT_NEAR(v_measure(counts, 3, 3), agreement(table(truth, found)).v_measure, 1e-12);
}

TEST(Agreement, RefusesLabellingsOfDifferentLength) {
  expect_error(Fault::argument, "one labelling has 2 labels and the other 1; both must label the same rows",
               [] {
                 table({0, 1}, {0});
               });
}

}  // namespace
}  // namespace shoal
