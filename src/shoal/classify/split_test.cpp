#include "shoal/classify/split.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "shoal/core/error.h"
#include "tests/error_of.h"

namespace shoal {
namespace {

TEST(Split, CompactLabelsCloseTheGaps) {
  const CompactLabels c = compact_labels({{4, kNoise, 2, 4}, 6});
  EXPECT_EQ(c.labels, (Labels{{1, kNoise, 0, 1}, 2}));
  EXPECT_EQ(c.original, (std::vector<Label>{2, 4}));
  EXPECT_EQ(compact_labels({{}, 3}).labels.count, 0u);
}

TEST(Split, LabelsThatDoNotMatchAreNamed) {
  check_labels({{0, 1, kNoise}, 2}, 3);
  const auto message = [](const Labels& labels, Index rows) -> std::string {
    const Error e = error_of([&] { check_labels(labels, rows); });
    EXPECT_EQ(e.fault, Fault::data);
    return e.what();
  };
  EXPECT_NE(message({{0, 1}, 2}, 5).find("2 labels for 5 rows"), std::string::npos);
  EXPECT_NE(message({{0, 2}, 2}, 2).find("row 1 is 2"), std::string::npos);
  EXPECT_NE(message({{-7, 1}, 2}, 2).find("row 0 is -7"), std::string::npos);
}

TEST(Split, EveryClassIsDealtOutEvenly) {
  Labels labels{{}, 3};
  for (Index i = 0; i < 103; ++i)
    labels.of.push_back(i % 10 == 9 ? kNoise : static_cast<Label>(i % 10 < 6 ? 0 : i % 10 - 6));
  std::ranges::replace(labels.of, 3, 2);
  const auto folds = stratified_folds(labels, 4, {1});
  for (Label c = kNoise; c < 3; ++c) {
    std::vector<int> rows(4);
    for (Index i = 0; i < 103; ++i)
      if (labels.of[i] == c) ++rows[folds[i]];
    EXPECT_LE(*std::ranges::max_element(rows) - *std::ranges::min_element(rows), 1) << "class " << c;
  }
  std::vector<int> all(4);
  for (const auto f : folds) ++all[f];
  EXPECT_LE(*std::ranges::max_element(all) - *std::ranges::min_element(all), 1);
  EXPECT_EQ(folds, stratified_folds(labels, 4, {1}));
  EXPECT_NE(folds, stratified_folds(labels, 4, {2}));
  EXPECT_THROW(stratified_folds(labels, 1, {1}), Error);
  EXPECT_THROW(stratified_folds(labels, 104, {1}), Error);
}

}  // namespace
}  // namespace shoal
