#include "shoal/measure/word_spaces.h"

#include <gtest/gtest.h>

#include "shoal/measure/agreement.h"
#include "shoal/measure/rank_correlation.h"
#include "tests/matrices.h"

namespace shoal {
namespace {

TEST(WordSimilarity, IsTheMeanOverSetsAndAPairCountsAsOftenAsBothItsWordsWereDrawn) {
  const std::vector<JudgedPairs> sets{{"a", {{0, 1}, {1, 2}, {2, 3}, {0, 3}}, {1, 2, 3, 4}},
                                      {"b", {{0, 2}, {1, 3}, {0, 1}}, {3, 2, 1}}};
  const std::vector<std::vector<double>> cosines{{0.1, 0.4, 0.3, 0.9}, {0.1, 0.2, 0.3}};
  const Measurable found = word_similarity(sets, cosines, 4);
  EXPECT_NEAR(found.value(), (0.8 - 1) / 2, 1e-12);
  // Word 1 twice, word 3 never: pairs 01 01 12 12 of the first set, 02 01 01 of the second.
  const std::vector<std::uint32_t> times{1, 2, 1, 0};
  const double a[] = {0.1, 0.1, 0.4, 0.4}, b[] = {1, 1, 2, 2};
  EXPECT_NEAR(found.of(times), (spearman(a, b) - 1) / 2, 1e-12);
}

TEST(Analogies, AreSolvedByTheNearestOfTheOtherWords) {
  const Matrix v = from({{1, 0, 0}, {0.6f, 0.8f, 0}, {0.8f, 0, 0.6f}, {0.36f, 0.72f, 0.6f}, {-1, 0, 0}});
  const std::vector<std::array<std::uint32_t, 4>> questions{{0, 1, 2, 3}, {0, 1, 2, 4}, {1, 0, 3, 2}};
  EXPECT_EQ(solve_analogies(v.view(), questions, {}), (std::vector<std::uint8_t>{1, 0, 1}));
}

TEST(Purity, IsTheShareOfRowsInTheMostFrequentClassOfTheirCluster) {
  const std::vector<Label> classes{0, 0, 1, 1, 2, 2}, clusters{5, 5, 5, 1, 1, 1};
  EXPECT_NEAR(purity(Contingency(classes, clusters)), 4.0 / 6, 1e-12);
  EXPECT_EQ(purity(Contingency(std::vector<Label>{}, std::vector<Label>{})), 1);
}

}  // namespace
}  // namespace shoal
