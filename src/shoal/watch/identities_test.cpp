#include "shoal/watch/identities.h"

#include <gtest/gtest.h>

#include "tests/error_of.h"

namespace shoal {
namespace {

TEST(MatchClusters, KeepsIdentities) {
  // Old 0 goes on as new 2, old 1 splits into new 0 and 1, old 2 and 3 merge into new 3, new 4 is born of
  // rows that were in none.
  Labels before{{}, 4}, now{{}, 5};
  const auto add = [&](Label o, Label n, Index times) {
    for (Index i = 0; i < times; ++i) before.of.push_back(o), now.of.push_back(n);
  };
  add(0, 2, 20), add(1, 0, 12), add(1, 1, 8), add(2, 3, 10), add(3, 3, 9), add(kNoise, 4, 7),
      add(0, kNoise, 2);
  const ClusterMatch match = match_clusters(before, now);
  EXPECT_EQ(match.goes_on, (std::vector<std::optional<Label>>{1, {}, 0, 2, {}}));
  EXPECT_DOUBLE_EQ(match.kept[2], 1);
  EXPECT_DOUBLE_EQ(match.kept[3], 10.0 / 19);
  EXPECT_EQ(match.died, std::vector<Label>{3});
  ASSERT_EQ(match.splits.size(), 1u);
  EXPECT_EQ(match.splits[0], (std::pair<Label, std::vector<Label>>{1, {0, 1}}));
  ASSERT_EQ(match.merges.size(), 1u);
  EXPECT_EQ(match.merges[0], (std::pair<Label, std::vector<Label>>{3, {2, 3}}));
  EXPECT_EQ(numbers_kept(match), (std::vector<Label>{1, 3, 0, 2, 4}))
      << "the smaller part of the split is new";
}

TEST(NumbersKept, FillTheGaps) {
  // Of 8 old clusters 5 are left: 1 and 4 keep their numbers, 6 cannot; a new one comes last.
  const ClusterMatch match{.goes_on = {4, {}, 6, 1, 0}, .kept = {}, .died = {}, .splits = {}, .merges = {}};
  EXPECT_EQ(numbers_kept(match), (std::vector<Label>{4, 3, 2, 1, 0}));
  EXPECT_TRUE(numbers_kept({}).empty());
}

TEST(MatchClusters, TheSameClustersUnderOtherNumbers) {
  // Whatever the numbers, the same partition gets the old ones back.
  Labels before{{}, 7}, now{{}, 7};
  for (Label i = 0; i < 700; ++i) before.of.push_back(i % 7), now.of.push_back((3 * i + 2) % 7);
  const ClusterMatch match = match_clusters(before, now);
  const std::vector<Label> number = numbers_kept(match);
  for (Index i = 0; i < 700; ++i) EXPECT_EQ(number[static_cast<Index>(now.of[i])], before.of[i]);
  EXPECT_TRUE(match.splits.empty() && match.merges.empty() && match.died.empty());
  expect_error(Fault::data, "3 labels from before", [&] { match_clusters({{0, 0, 0}, 1}, now); });
  // None before: all are born.
  const ClusterMatch born = match_clusters({std::vector<Label>(700, kNoise), 0}, now);
  EXPECT_EQ(numbers_kept(born), (std::vector<Label>{0, 1, 2, 3, 4, 5, 6}));
}

}  // namespace
}  // namespace shoal
