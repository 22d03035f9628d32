#include "shoal/measure/word_spaces.h"

#include <gtest/gtest.h>

#include "shoal/core/random.h"
#include "shoal/measure/agreement.h"
#include "tests/matrices.h"

namespace shoal {
namespace {

TEST(WordSimilarity, IsTheMeanOverSetsAndWhatEachPairAddsToIt) {
  const std::vector<JudgedPairs> sets{{"a", {{0, 1}, {1, 2}, {2, 3}, {0, 3}}, {1, 2, 3, 4}},
                                      {"b", {{0, 2}, {1, 3}, {0, 1}}, {3, 2, 1}}};
  const std::vector<std::vector<double>> cosines{{0.1, 0.4, 0.3, 0.9}, {0.1, 0.2, 0.3}};
  const WordSimilarity found = word_similarity(sets, cosines, {});
  EXPECT_NEAR(found.value, (0.8 - 1) / 2, 1e-12);
  ASSERT_EQ(found.influence.size(), 7u);
  EXPECT_NEAR(found.influence[1], (0.8 - 1) / 2, 1e-12);  // without pair 12 the others are in order
  EXPECT_NEAR(found.influence[4], 0, 1e-12);              // the others of b are in the wrong order too
  const WordSimilarity none = difference(found, found);
  EXPECT_EQ(none.value, 0);
  EXPECT_EQ(measured(none, sets, 4).high, 0);
}

/// Pairs whose cosine is the judgement and noise, of which `shared` is the words'. Words stand in one pair if
/// there are enough of them.
void noisy_pairs(Index pairs, Index words, double shared, std::uint64_t seed, JudgedPairs& set,
                 std::vector<double>& cosines) {
  const Random random({seed});
  for (Index p = 0; p < pairs; ++p) {
    const bool own = words == 2 * pairs;
    const auto a = static_cast<std::uint32_t>(own ? 2 * p : random.below(3000000 + p, words));
    const auto b =
        static_cast<std::uint32_t>(own ? 2 * p + 1 : (a + 1 + random.below(4000000 + p, words - 1)) % words);
    set.words.push_back({a, b});
    set.judged.push_back(random.normal(p));
    cosines.push_back(set.judged.back() + random.normal(1000000 + p) +
                      shared * set.judged.back() * (random.normal(2000000 + a) + random.normal(2000000 + b)));
  }
}

TEST(WordSimilarity, IntervalsCoverTheTruthWherePairsShareWordsAndWhereTheyDoNot) {
  for (const bool shared : {false, true}) {
    // What it comes to in the long run, and how often the interval has it.
    double mean = 0;
    std::vector<Measured> all;
    constexpr Index kRuns = 200;
    for (std::uint64_t seed = 0; seed < kRuns; ++seed) {
      std::vector<JudgedPairs> sets(1);
      std::vector<std::vector<double>> cosines(1);
      const Index words = shared ? 60 : 400;
      noisy_pairs(200, words, shared ? 1 : 0, seed + 1, sets[0], cosines[0]);
      all.push_back(measured(word_similarity(sets, cosines, {}), sets, words));
      mean += all.back().value / kRuns;
    }
    Index inside = 0;
    for (const Measured& one : all) inside += one.low <= mean && mean <= one.high;
    EXPECT_GT(inside, 0.85 * kRuns) << shared;
    EXPECT_LT(inside, 0.995 * kRuns) << shared;
  }
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
