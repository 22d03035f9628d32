#include "shoal/linear/topk.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "shoal/core/random.h"

namespace {

using shoal::TopK;
using Item = TopK::Item;

std::vector<std::pair<float, std::uint32_t>> pairs(const std::vector<Item>& items) {
  std::vector<std::pair<float, std::uint32_t>> out;
  for (const Item& i : items) out.emplace_back(i.score, i.id);
  return out;
}

TEST(TopK, KeepsTheBestAndBreaksTiesByTheSmallerId) {
  TopK best(3);
  for (const auto& [score, id] : {Item{1, 9}, {2, 4}, {2, 3}, {2, 7}, {0, 0}, {1, 1}}) best.offer(score, id);
  EXPECT_EQ(pairs(best.sorted()), (std::vector<std::pair<float, std::uint32_t>>{{2, 3}, {2, 4}, {2, 7}}));
}

TEST(TopK, AgreesWithSortingInAnyOrderOfTheStream) {
  const shoal::Random random(shoal::Seed{1});
  for (const shoal::Index k : {1, 2, 7, 100, 1000}) {
    std::vector<std::pair<float, std::uint32_t>> all;  // few distinct scores: many ties
    for (std::uint32_t i = 0; i < 500; ++i) all.emplace_back(static_cast<float>(random.below(i, 20)), i);
    auto expected = all;
    std::ranges::sort(expected, [](auto& a, auto& b) {
      return a.first != b.first ? a.first > b.first : a.second < b.second;
    });
    expected.resize(std::min<std::size_t>(k, 500));
    TopK forward(k), backward(k);
    for (const auto& [score, id] : all) forward.offer(score, id);
    std::ranges::reverse(all);
    for (const auto& [score, id] : all) backward.offer(score, id);
    EXPECT_EQ(pairs(forward.sorted()), expected) << k;
    EXPECT_EQ(pairs(backward.sorted()), expected) << k;
  }
}

TEST(TopK, DropsNaNAndHoldsNothingForZero) {
  TopK one(1), none(0);
  one.offer(std::numeric_limits<float>::quiet_NaN(), 1);
  EXPECT_TRUE(one.sorted().empty());
  one.offer(-std::numeric_limits<float>::infinity(), 2);
  EXPECT_EQ(one.sorted().size(), 1u);
  none.offer(1, 1);
  EXPECT_TRUE(none.sorted().empty());
}

}  // namespace
