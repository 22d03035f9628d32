#include "shoal/train/sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "../../../tests/error_of.h"

namespace shoal {
namespace {

constexpr std::uint64_t kSeeds = 40;

/// All rows of the batches and those left out.
std::vector<Index> everything(const Batches& batches) {
  std::vector<Index> out = batches.rows;
  out.insert(out.end(), batches.left_out.begin(), batches.left_out.end());
  std::ranges::sort(out);
  return out;
}

/// 0..n-1
std::vector<Index> each_once(Index n) {
  std::vector<Index> out(n);
  for (Index i = 0; i < n; ++i) out[i] = i;
  return out;
}

bool operator==(const Batches& a, const Batches& b) {
  return a.rows == b.rows && a.starts == b.starts && a.left_out == b.left_out;
}

TEST(Sampler, ShuffledBatchesHaveEachRowOnce) {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed)
    for (const Index rows : {0u, 1u, 2u, 5u, 16u, 17u, 33u, 100u})
      for (const Index size : {1u, 2u, 3u, 16u, 200u})
        for (const Index least : {1u, 2u}) {
          if (size < least) continue;
          SCOPED_TRACE(testing::Message() << rows << " rows by " << size << ", " << least << " at least");
          const Batches batches = shuffled_batches(rows, size, least, {seed}, 3);
          EXPECT_EQ(everything(batches), each_once(rows));
          EXPECT_TRUE(batches.left_out.empty());
          for (Index b = 0; b < batches.size(); ++b) {
            EXPECT_GE(batches[b].size(), std::min(least, rows));
            EXPECT_LE(batches[b].size(), b + 1 == batches.size() ? size + least - 1 : size);
            if (b + 2 < batches.size()) {
              EXPECT_EQ(batches[b].size(), size);
            }
          }
          EXPECT_TRUE(batches == shuffled_batches(rows, size, least, {seed}, 3));
        }
  EXPECT_NE(shuffled(100, {1}, 0), shuffled(100, {1}, 1));
  EXPECT_NE(shuffled(100, {1}, 0), shuffled(100, {2}, 0));
  expect_error(Fault::argument, "must be 2 or more", [] { shuffled_batches(9, 1, 2, {}, 0); });
  expect_error(Fault::argument, "batch_size is 0", [] { shuffled_batches(9, 0, 1, {}, 0); });
}

TEST(Sampler, EveryPlaceIsAsLikely) {
  std::vector<Index> sums(10);
  for (Index epoch = 0; epoch < 4000; ++epoch) {
    const std::vector<Index> order = shuffled(10, {5}, epoch);
    for (Index i = 0; i < 10; ++i) sums[order[i]] += i;
  }
  for (const Index sum : sums) EXPECT_NEAR(static_cast<double>(sum) / 4000, 4.5, 0.2);
}

TEST(Sampler, TextNumbers) {
  Texts a, b;
  for (const char* text : {"x", "y", "x"}) a.add(text);
  for (const char* text : {"y", "z", "x"}) b.add(text);
  const std::vector<const Texts*> columns{&a, &b};
  EXPECT_EQ(text_numbers(columns), (std::vector<std::uint32_t>{0, 1, 1, 2, 0, 0}));
  b.add("w");
  expect_error(Fault::argument, "as many", [&] { text_numbers(columns); });
}

/// Row by row; `kinds` different texts, some far more often than others.
std::vector<std::uint32_t> drawn_texts(Index rows, Index columns, Index kinds, std::uint64_t seed) {
  const Random random({seed});
  std::vector<std::uint32_t> out(rows * columns);
  for (Index i = 0; i < out.size(); ++i) {
    const double u = random.uniform(i);
    out[i] = static_cast<std::uint32_t>(u * u * static_cast<double>(kinds));
  }
  return out;
}

void check_without_duplicates(const std::vector<std::uint32_t>& texts, Index columns, Index size, Index least,
                              Seed seed) {
  const Batches batches = batches_without_duplicates(texts, columns, size, least, seed, 1);
  EXPECT_EQ(everything(batches), each_once(texts.size() / columns));
  for (Index b = 0; b < batches.size(); ++b) {
    EXPECT_GE(batches[b].size(), least);
    EXPECT_LE(batches[b].size(), size);
    std::map<std::uint32_t, Index> row_of;
    for (const Index row : batches[b])
      for (Index c = 0; c < columns; ++c) {
        const auto [at, fresh] = row_of.try_emplace(texts[row * columns + c], row);
        EXPECT_EQ(at->second, row) << "a text of rows " << at->second << " and " << row;
      }
  }
  if (least == 1) {
    EXPECT_TRUE(batches.left_out.empty());
  }
  EXPECT_TRUE(batches == batches_without_duplicates(texts, columns, size, least, seed, 1));
}

TEST(Sampler, NoTextTwiceInABatch) {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed)
    for (const Index columns : {1u, 2u, 3u})
      for (const Index kinds : {1u, 7u, 60u, 5000u})
        for (const Index size : {2u, 8u, 64u})
          for (const Index least : {1u, 2u}) {
            SCOPED_TRACE(testing::Message() << columns << " columns of " << kinds << " texts by " << size);
            check_without_duplicates(drawn_texts(150, columns, kinds, seed), columns, size, least, {seed});
          }
}

TEST(Sampler, WithoutDuplicatesBatchesAreFull) {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    std::vector<std::uint32_t> texts(2 * 129);
    for (Index i = 0; i < texts.size(); ++i) texts[i] = static_cast<std::uint32_t>(i);
    const Batches batches = batches_without_duplicates(texts, 2, 16, 2, {seed}, 0);
    EXPECT_EQ(batches.size(), 9u);
    EXPECT_TRUE(batches.left_out.empty());  // the last row takes another
    EXPECT_EQ(batches[8].size(), 2u);
    // A few twice: still as many batches, and nothing waits for another epoch.
    for (Index i = 0; i < 12; ++i) texts[20 * i] = texts[20 * i + 11];
    const Batches with = batches_without_duplicates(texts, 2, 16, 2, {seed}, 0);
    EXPECT_EQ(with.size(), 9u);
    EXPECT_TRUE(with.left_out.empty());
  }
}

TEST(Sampler, RowsOfATextThatIsEverywhereTakeTurns) {
  std::vector<std::uint32_t> texts(200);  // 100 rows; half of them have text 0
  for (Index row = 0; row < 100; ++row) {
    texts[2 * row] = row < 50 ? 0 : static_cast<std::uint32_t>(row);
    texts[2 * row + 1] = static_cast<std::uint32_t>(1000 + row);
  }
  std::set<Index> met;
  for (Index epoch = 0; epoch < 60; ++epoch) {
    const Batches batches = batches_without_duplicates(texts, 2, 10, 2, {4}, epoch);
    EXPECT_FALSE(batches.left_out.empty());
    met.insert(batches.rows.begin(), batches.rows.end());
  }
  EXPECT_EQ(met.size(), 100u);
}

TEST(Sampler, ManyRowsOfFewTextsTakeNoLonger) {  // looked at batch by batch, these would take hours
  std::vector<std::uint32_t> texts(400'000);
  for (Index row = 0; row < 200'000; ++row) {
    texts[2 * row] = static_cast<std::uint32_t>(row % 3);
    texts[2 * row + 1] = static_cast<std::uint32_t>(10 + row % 1000);
  }
  const Batches batches = batches_without_duplicates(texts, 2, 64, 1, {4}, 0);
  EXPECT_EQ(batches.rows.size(), 200'000u);
  EXPECT_LT(batches.size(), 80'000u);  // three rows a batch at most
  EXPECT_GE(batches.size(), 66'666u);
}

TEST(Sampler, EachBatchHasTwoRowsOfEachOfItsLabels) {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed)
    for (const Index count : {2u, 3u, 10u, 70u})
      for (const Index size : {4u, 6u, 16u, 64u}) {
        SCOPED_TRACE(testing::Message() << count << " labels by " << size);
        const Random random({seed});
        Labels labels{.of = {}, .count = count + 1};  // the last has no rows
        for (Index i = 0; i < 211; ++i) {
          const double u = random.uniform(i);
          labels.of.push_back(i % 50 == 49 ? kNoise : static_cast<Label>(u * u * static_cast<double>(count)));
        }
        const Batches batches = batches_by_label(labels, size, {seed}, 2);
        EXPECT_EQ(everything(batches), each_once(211));
        for (Index b = 0; b < batches.size(); ++b) {
          std::map<Label, Index> rows;
          for (const Index row : batches[b]) ++rows[labels.of[row]];
          EXPECT_GE(rows.size(), 2u);
          for (const auto& [label, n] : rows) {
            EXPECT_NE(label, kNoise);
            EXPECT_GE(n, 2u);
          }
          if (b + 1 < batches.size()) {
            EXPECT_EQ(batches[b].size(), size);
          }
          EXPECT_GE(batches[b].size(), 4u);
          EXPECT_LE(batches[b].size(), size);
        }
        EXPECT_TRUE(batches == batches_by_label(labels, size, {seed}, 2));
        EXPECT_FALSE(batches == batches_by_label(labels, size, {seed}, 3));
      }
}

TEST(Sampler, RowsThatALabelHasOfEvenNumbersAllCome) {
  Labels labels{.of = {}, .count = 5};
  for (Index i = 0; i < 100; ++i) labels.of.push_back(static_cast<Label>(i % 5));
  EXPECT_TRUE(batches_by_label(labels, 10, {1}, 0).left_out.empty());
  expect_error(Fault::argument, "batch_size is 5", [&] { batches_by_label(labels, 5, {1}, 0); });
  expect_error(Fault::argument, "batch_size is 2", [&] { batches_by_label(labels, 2, {1}, 0); });
  expect_error(Fault::data, "only 1 of", [&] {
    batches_by_label({.of = {0, 0, 0, 1}, .count = 2}, 4, {1}, 0);
  });
}

TEST(Sampler, SeveralSets) {
  const std::vector<Index> sizes{5, 2, 40};
  EXPECT_EQ(set_order(sizes, Mixing::round_robin, {1}, 0), (std::vector<Index>{0, 1, 2, 0, 1, 2}));
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    const std::vector<Index> order = set_order(sizes, Mixing::proportional, {seed}, 0);
    for (Index set = 0; set < 3; ++set)
      EXPECT_EQ(static_cast<Index>(std::ranges::count(order, set)), sizes[set]);
    EXPECT_EQ(order, set_order(sizes, Mixing::proportional, {seed}, 0));
    EXPECT_NE(order, set_order(sizes, Mixing::proportional, {seed}, 1));
    EXPECT_NE(std::ranges::find(order.begin(), order.begin() + 30, Index{0}), order.begin() + 30);
  }
  EXPECT_TRUE(set_order({}, Mixing::proportional, {1}, 0).empty());
  EXPECT_TRUE(set_order(std::vector<Index>{3, 0}, Mixing::round_robin, {1}, 0).empty());
}

}  // namespace
}  // namespace shoal
