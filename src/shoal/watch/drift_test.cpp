#include "shoal/watch/drift.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "shoal/core/random.h"
#include "shoal/watch/permutations.h"
#include "tests/error_of.h"
#include "tests/matrices.h"

namespace shoal {
namespace {

TEST(BlockDeals, AllWhereThereAreFew) {
  const BlockDeals deals = deal_blocks({1, 1, 1, 1, 0, 0, 0, 0}, 1000, Seed{1});
  EXPECT_TRUE(deals.exact);
  EXPECT_EQ(deals.count, 70u);
  EXPECT_DOUBLE_EQ(deals.smallest_p, 2.0 / 70);
  std::vector<std::vector<std::uint8_t>> each;
  for (Index deal = 0; deal < deals.count; ++deal) {
    each.emplace_back(deals.old.begin() + static_cast<std::ptrdiff_t>(deal * 8),
                      deals.old.begin() + static_cast<std::ptrdiff_t>(deal * 8 + 8));
    EXPECT_EQ(std::ranges::count(each.back(), 1), 4);
  }
  EXPECT_EQ(each.front(), (std::vector<std::uint8_t>{1, 1, 1, 1, 0, 0, 0, 0})) << "the one that was seen";
  std::ranges::sort(each);
  EXPECT_EQ(std::ranges::adjacent_find(each), each.end()) << "each once";
  EXPECT_DOUBLE_EQ(deal_blocks({1, 0, 0, 0, 0}, 1000, Seed{1}).smallest_p, 1.0 / 5);
}

TEST(BlockDeals, AtRandomWhereThereAreMany) {
  std::vector<std::uint8_t> sides(60);
  std::fill_n(sides.begin(), 20, std::uint8_t{1});
  const BlockDeals deals = deal_blocks(sides, 999, Seed{1});
  EXPECT_FALSE(deals.exact);
  EXPECT_EQ(deals.count, 1000u);
  EXPECT_DOUBLE_EQ(deals.smallest_p, 1.0 / 1000);
  std::vector<double> times(60);
  for (Index deal = 1; deal < deals.count; ++deal)
    for (Index b = 0; b < 60; ++b) times[b] += deals.on_old(deal, b);
  for (const double t : times) EXPECT_NEAR(t / 999, 1.0 / 3, 5 * std::sqrt(2.0 / 9 / 999));
  EXPECT_EQ(fault_of([] { deal_blocks({1, 1}, 10, Seed{1}); }), Fault::argument);
}

TEST(PermutationPValues, CountAtLeastAsLarge) {
  EXPECT_EQ(permutation_p_values({3, 1, 2, 3}), (std::vector<double>{0.5, 1, 0.75, 0.5}));
  // Two tests dealt together: only the first deal has a p-value of 1/4 in each.
  EXPECT_DOUBLE_EQ(omnibus_p_value({{0.25, 1, 0.75, 0.5}, {0.25, 0.5, 0.75, 1}}), 0.25);
  EXPECT_DOUBLE_EQ(omnibus_p_value({{0.25, 1, 0.75, 0.5}, {1, 0.25, 0.75, 0.5}}), 0.5);
  EXPECT_TRUE(std::isnan(omnibus_p_value({})));
}

TEST(StepDownPValues, AreSmallWhereOneOfManyIs) {
  // 80 statistics of which the first alone is seen to be larger than at any of 999 deals: no rule that
  // multiplies p-values by their number could say more than 0.08.
  std::vector<std::vector<double>> many;
  const Random random({1});
  for (Index s = 0; s < 80; ++s) {
    many.emplace_back();
    for (Index deal = 0; deal < 1000; ++deal)
      many[s].push_back((1.0 + static_cast<double>(s)) * std::abs(random.normal(s * 1000 + deal)));
  }
  many[0][0] = 8;
  const std::vector<double> p = step_down_p_values(many);
  EXPECT_DOUBLE_EQ(p[0], 0.001);
  for (Index s = 1; s < 80; ++s) {
    EXPECT_GE(p[s], 0.03) << s;
    EXPECT_GE(p[s] + 1e-12, permutation_p_values(many[s]).front());
  }
  // By hand, both of one deviation: 2 is reached by two deals of four, and 3, by either of them, by two too.
  // A statistic that never changes has 1.
  EXPECT_EQ(step_down_p_values({{3, 1, 2, 0}, {2, 0, 1, 3}, {5, 5, 5, 5}}),
            (std::vector<double>{0.5, 0.5, 1}));
  EXPECT_TRUE(step_down_p_values({}).empty());
}

TEST(StepDownPValues, AreSeldomFalse) {
  Index alarms = 0;
  for (std::uint64_t t = 0; t < 200; ++t) {
    std::vector<std::vector<double>> none(30);
    const Random random({t});
    for (Index s = 0; s < 30; ++s)
      for (Index deal = 0; deal < 100; ++deal)
        none[s].push_back(std::abs(random.normal(s * 100 + deal)) * (1 + static_cast<double>(s % 3)));
    alarms += std::ranges::min(step_down_p_values(none)) <= 0.05;
  }
  EXPECT_LE(alarms, 22u) << "10 of 200 are expected; 23 or more have a chance below 0.001";
  EXPECT_GE(alarms, 1u);
}

/// Two groups of normal rows in 5 dimensions; the second moved by `shift` in the first column.
struct Sample {
  Matrix x;
  Labels blocks, clusters;
  std::vector<Index> old_blocks, new_blocks;
};
Sample sample(Index rows, Index rows_a_block, double shift, std::uint64_t seed, double common = 0) {
  const Random random({seed});
  Sample out{Matrix(rows, 5), {}, {}, {}, {}};
  out.clusters.count = 3;
  for (Index i = 0; i < rows; ++i) {
    const Index block = i / rows_a_block;
    out.blocks.of.push_back(static_cast<Label>(block));
    for (Index j = 0; j < 5; ++j)
      out.x[i][j] =
          static_cast<float>(random.normal(i * 5 + j) + common * random.normal(900000 + block * 5 + j) +
                             (i >= rows / 2 && j == 0 ? shift : 0));
    out.clusters.of.push_back(out.x[i][0] < -0.5f ? 0 : out.x[i][0] < 0.5f ? 1 : 2);
  }
  out.blocks.count = (rows + rows_a_block - 1) / rows_a_block;
  for (Index b = 0; b < out.blocks.count; ++b)
    (b * rows_a_block < rows / 2 ? out.old_blocks : out.new_blocks).push_back(b);
  return out;
}
DriftResult found(const Sample& s, const DriftOptions& options, const Run& run = {}) {
  return DriftStudy(Rows(s.x), s.blocks, s.clusters, options, run).compare(s.old_blocks, s.new_blocks, run);
}
double distance_of(const DriftResult& result, DriftTest test) {
  for (const auto& t : result.tests)
    if (t.test == test) return t.distance;
  ADD_FAILURE() << "no such test";
  return 0;
}

/// Mean over pairs within each side and between, straight from the definition.
template <class Kernel>
double pair_statistic(const Matrix& x, const Kernel& kernel) {
  const Index half = x.rows() / 2;
  double within = 0, between = 0;
  for (Index i = 0; i < x.rows(); ++i)
    for (Index j = 0; j < x.rows(); ++j) {
      if (i == j) continue;
      const bool same = (i < half) == (j < half);
      (same ? within : between) += kernel(x[i], x[j]);
    }
  const double n = static_cast<double>(half);
  return within / (n * (n - 1)) - between / (n * n);
}
double squared_distance(std::span<const float> a, std::span<const float> b) {
  double out = 0;
  for (Index j = 0; j < a.size(); ++j)
    out += (static_cast<double>(a[j]) - static_cast<double>(b[j])) *
           (static_cast<double>(a[j]) - static_cast<double>(b[j]));
  return out;
}

TEST(DriftStudy, StatisticsAreWhatTheySay) {
  for (const Index rows_a_block : {1, 10}) {  // rows that are blocks, and blocks whose sums are kept
    const Sample s = sample(120, rows_a_block, 0.7, 3);
    DriftOptions options;
    options.tests = drift_tests("all");
    options.permutations = 99;
    const DriftStudy study(Rows(s.x), s.blocks, s.clusters, options, {});
    const DriftResult result = study.compare(s.old_blocks, s.new_blocks, {});
    const double width = study.bandwidth();
    EXPECT_NEAR(
        distance_of(result, DriftTest::mmd),
        pair_statistic(
            s.x, [&](auto a, auto b) { return std::exp(-squared_distance(a, b) / (2 * width * width)); }),
        2e-6);
    EXPECT_NEAR(distance_of(result, DriftTest::energy),
                -pair_statistic(s.x, [](auto a, auto b) { return std::sqrt(squared_distance(a, b)); }), 1e-5);
    double mean[5] = {}, shift[5] = {};
    for (Index i = 0; i < 120; ++i)
      for (Index j = 0; j < 5; ++j) {
        mean[j] += static_cast<double>(s.x[i][j]) / 120;
        shift[j] += static_cast<double>(s.x[i][j]) / (i < 60 ? 60 : -60);
      }
    const auto product = [&](auto a, auto b) {
      double out = 0;
      for (Index j = 0; j < 5; ++j)
        out += (static_cast<double>(a[j]) - mean[j]) * (static_cast<double>(b[j]) - mean[j]);
      return out * out;
    };
    EXPECT_NEAR(distance_of(result, DriftTest::covariance_shift), pair_statistic(s.x, product), 1e-4);
    double length = 0;
    for (const double v : shift) length += v * v;
    EXPECT_NEAR(distance_of(result, DriftTest::mean_shift), std::sqrt(length), 1e-5);
    double table[2][3] = {};
    for (Index i = 0; i < 120; ++i) ++table[i >= 60][s.clusters.of[i]];
    double g = 0, kl = 0;
    for (Index c = 0; c < 3; ++c) {
      const double all = table[0][c] + table[1][c];
      for (const auto& side : table) g += 2 * side[c] * std::log(side[c] / (all / 2));
      const double p = (table[0][c] + 0.5) / 61.5, q = (table[1][c] + 0.5) / 61.5;
      kl += 0.5 * (p * std::log(p / q) + q * std::log(q / p));
    }
    EXPECT_NEAR(distance_of(result, DriftTest::g_test), g, 1e-9);
    EXPECT_NEAR(distance_of(result, DriftTest::kl_clusters), kl, 1e-9);
    const double auc = distance_of(result, DriftTest::classifier);
    EXPECT_GT(auc, 0.55);  // a shift of 0.7 deviations: 0.69 at best
    EXPECT_LT(auc, 0.8);
    EXPECT_GT(distance_of(result, DriftTest::kl_gaussian), 0);
    ASSERT_EQ(result.clusters.size(), 3u);
    EXPECT_DOUBLE_EQ(result.clusters[2].new_share, table[1][2] / 60);
    EXPECT_EQ(result.clusters[2].old_rows, static_cast<Index>(table[0][2]));
  }
}

TEST(DriftStudy, HotellingInWhiteSpace) {
  // Of one column, T^2 is the squared difference of means over the shrunk variance, which is the variance
  // itself, times n n / 2n.

  const Random random({5});
  Sample s{Matrix(40, 1), {{}, 40}, {}, {}, {}};
  for (Index i = 0; i < 40; ++i) {
    s.x[i][0] = static_cast<float>(random.normal(i) + (i < 20 ? 0 : 1));
    s.blocks.of.push_back(static_cast<Label>(i));
    (i < 20 ? s.old_blocks : s.new_blocks).push_back(i);
  }
  DriftOptions options;
  options.tests = {DriftTest::hotelling};
  double mean = 0, shift = 0, variance = 0;
  for (Index i = 0; i < 40; ++i) mean += static_cast<double>(s.x[i][0]) / 40;
  for (Index i = 0; i < 40; ++i) {
    const double v = static_cast<double>(s.x[i][0]);
    shift += v / (i < 20 ? 20 : -20);
    variance += (v - mean) * (v - mean) / 40;
  }
  EXPECT_NEAR(distance_of(found(s, options), DriftTest::hotelling), 10 * shift * shift / variance, 1e-3);
}

TEST(DriftStudy, FindsAShiftAndNamesIt) {
  const Sample s = sample(600, 1, 1.0, 7);
  const DriftResult result = found(s, {});
  EXPECT_EQ(result.is_drift, std::optional(true));
  EXPECT_LE(result.p_val, 0.002);
  EXPECT_EQ(result.clusters[0].fate, ClusterFate::shrank);
  EXPECT_EQ(result.clusters[2].fate, ClusterFate::grew);
}

TEST(DriftStudy, OneOfManyClustersCanBeSure) {
  // 120 clusters, of which the first has many more new rows. With 1,000 deals Holm could say 0.12 at best.
  const Random random({3});
  Sample s = sample(2400, 1, 0, 3);
  s.clusters.count = 120;
  for (Index i = 0; i < 2400; ++i)
    s.clusters.of[i] = i >= 1200 && i % 30 == 0 ? 0 : static_cast<Label>(random.below(i, 120));
  const DriftResult result = found(s, {});
  EXPECT_EQ(result.clusters[0].fate, ClusterFate::grew);
  EXPECT_DOUBLE_EQ(result.clusters[0].corrected_p_val, result.smallest_p);
  Index others = 0;
  for (Index c = 1; c < 120; ++c) others += result.clusters[c].fate != ClusterFate::same;
  EXPECT_EQ(others, 0u);
}

TEST(DriftStudy, ManySmallBlocksKeepToMaxRows) {
  // 3,000 blocks of two rows and three of one row; and large blocks beside small ones.
  const Random random({4});
  for (const bool mixed : {false, true}) {
    Sample s{Matrix(6003, 5), {{}, 0}, {}, {}, {}};
    for (Index i = 0; i < 6003; ++i)
      for (Index j = 0; j < 5; ++j)
        s.x[i][j] = static_cast<float>(random.normal(i * 5 + j) + (i >= 3000 && j == 0 ? 0.5 : 0));
    for (Index i = 0; i < 6003;) {
      const Index size = i >= 6000 ? 1 : mixed && s.blocks.count % 2 == 0 ? 98 : 2;
      for (Index j = 0; j < size && i < 6003; ++j, ++i)
        s.blocks.of.push_back(static_cast<Label>(s.blocks.count));
      (i <= 3000 ? s.old_blocks : s.new_blocks).push_back(s.blocks.count++);
    }
    DriftOptions options;
    options.tests = drift_tests("mmd,hotelling,classifier");
    options.max_rows = 400;
    options.permutations = 99;
    const DriftResult result = found(s, options);
    EXPECT_EQ(result.pair_rows, 400u);
    EXPECT_NEAR(static_cast<double>(result.old_pair_rows), 200, 2) << "as many as the side's share of rows";
    EXPECT_EQ(result.old_rows + result.new_rows, 6003u);
    EXPECT_LE(result.tests[0].p_val, 0.02);
    EXPECT_EQ(result.is_drift, std::optional(true));
    // Two small blocks of many on one side: they draw rows of their own.
    options.tests = drift_tests("mmd");
    const DriftResult few = DriftStudy(Rows(s.x), s.blocks, {}, options, {})
                                .compare({0, 1, 2, 3, 4, 5}, {6, 7, 8, 9, 10, 11}, {});
    EXPECT_EQ(few.pair_rows, std::min<Index>(400, few.old_rows + few.new_rows));
  }
}

TEST(DriftStudy, ManySmallBlocksCryNoWolf) {
  Index alarms = 0;
  for (std::uint64_t t = 0; t < 100; ++t) {
    const Sample s = sample(240, 3, 0, 700 + t, 0.8);
    DriftOptions options;
    options.tests = drift_tests("mmd,classifier");
    options.max_rows = 60;  // less than a row a block
    options.permutations = 39;
    alarms += found(s, options).p_val <= 0.05;
  }
  EXPECT_LE(alarms, 12u);
}

// Few rows on one side: their distance is large by chance, and no deal at random has so few.
TEST(DriftStudy, UnevenBlocksCryNoWolf) {
  Index alarms = 0, changed = 0;
  constexpr Index kOld = 30, kNew = 10, kOldRows = 40, kNewRows = 5, kClusters = 8;
  for (std::uint64_t t = 0; t < 40; ++t) {
    const Random random({1000 + t});
    Sample s{Matrix(kOld * kOldRows + kNew * kNewRows, 5), {}, {}, {}, {}};
    s.blocks.count = kOld + kNew, s.clusters.count = kClusters;
    for (Index i = 0; i < s.x.rows(); ++i) {
      const Index block = i < kOld * kOldRows ? i / kOldRows : kOld + (i - kOld * kOldRows) / kNewRows;
      s.blocks.of.push_back(static_cast<Label>(block));
      s.clusters.of.push_back(static_cast<Label>(random.below(500000 + i, kClusters)));
      for (Index j = 0; j < 5; ++j) s.x[i][j] = static_cast<float>(random.normal(i * 5 + j));
    }
    for (Index b = 0; b < s.blocks.count; ++b) (b < kOld ? s.old_blocks : s.new_blocks).push_back(b);
    DriftOptions options;
    options.tests = drift_tests("mmd,energy,mean-shift");
    options.permutations = 99;
    const DriftResult result = found(s, options);
    alarms += result.p_val <= 0.05;
    changed +=
        std::ranges::any_of(result.clusters, [](const auto& c) { return c.fate != ClusterFate::same; });
  }
  EXPECT_LE(alarms, 9u);
  EXPECT_LE(changed, 9u) << "nine in ten are without weighing";
}

TEST(DriftStudy, ASideWithoutARowIsNoProofOfNoDrift) {
  Sample s = sample(400, 20, 5, 3);
  s.new_blocks.resize(1);
  DriftOptions options;
  options.tests = drift_tests("mmd,hotelling");
  options.max_rows = 4;
  const DriftResult result = found(s, options);
  if (result.old_pair_rows == result.pair_rows) {
    EXPECT_TRUE(std::isnan(result.tests[0].p_val));
    EXPECT_FALSE(std::isnan(result.p_val));
  }
  options.tests = drift_tests("mmd");
  if (result.old_pair_rows == result.pair_rows) {
    EXPECT_EQ(error_of([&] { found(s, options); }).fault, Fault::argument);
  }
}

TEST(DriftStudy, BlocksDoNotCryWolf) {
  // Rows of one block resemble each other. Dealt by rows nearly all are alarms; by blocks about one in
  // twenty.
  Index by_rows = 0, by_blocks = 0;
  constexpr Index kTimes = 100;
  for (Index t = 0; t < kTimes; ++t) {
    Sample s = sample(200, 20, 0, 100 + t, 0.8);
    DriftOptions options;
    options.permutations = 199;
    by_blocks += found(s, options).is_drift.value();
    Sample rows = s;
    rows.blocks = sample(200, 1, 0, 1).blocks;
    rows.old_blocks.resize(100), rows.new_blocks.resize(100);
    std::iota(rows.old_blocks.begin(), rows.old_blocks.end(), Index{0});
    std::iota(rows.new_blocks.begin(), rows.new_blocks.end(), Index{100});
    if (t < 20) by_rows += found(rows, options).is_drift.value();
  }
  EXPECT_GE(by_rows, 15u);
  EXPECT_LE(by_blocks, 12u) << "5 of 100 are expected; 13 or more have a chance below 0.001";
}

TEST(DriftStudy, PValuesAreUniformWithoutDrift) {
  for (const char* name : {"mmd", "hotelling", "classifier"}) {
    Index alarms = 0;
    for (Index t = 0; t < 100; ++t) {
      DriftOptions options;
      options.tests = drift_tests(name);
      options.permutations = 39;
      alarms += found(sample(40, 1, 0, 500 + t), options).p_val <= 0.05;
    }
    EXPECT_LE(alarms, 12u) << name;
  }
}

TEST(DriftStudy, NotEnoughBlocks) {
  const Sample s = sample(60, 10, 5, 9);  // three against three: 20 deals
  const DriftResult result = found(s, {});
  EXPECT_TRUE(result.exact);
  EXPECT_EQ(result.deals, 20u);
  EXPECT_DOUBLE_EQ(result.smallest_p, 0.1);
  EXPECT_FALSE(result.enough_blocks);
  EXPECT_FALSE(result.is_drift.has_value());
  EXPECT_DOUBLE_EQ(result.p_val, 0.1) << "as small as it can be";
  const Sample four = sample(80, 10, 5, 9);
  EXPECT_EQ(found(four, {}).is_drift, std::optional(true));
  EXPECT_DOUBLE_EQ(found(four, {}).p_val, 2.0 / 70);
}

TEST(DriftStudy, IdenticalSidesAndTinyOnes) {
  Sample s = sample(100, 5, 0, 11);
  for (Index i = 0; i < 50; ++i)
    std::ranges::copy(s.x[i], s.x[50 + i].begin()), s.clusters.of[50 + i] = s.clusters.of[i];
  const DriftResult same = found(s, {});
  EXPECT_EQ(same.is_drift, std::optional(false));
  EXPECT_GT(same.p_val, 0.9);
  Sample constant = sample(40, 1, 0, 1);
  for (Index i = 0; i < 40; ++i) std::ranges::fill(constant.x[i], 1.0f), constant.clusters.of[i] = 0;
  DriftOptions all;
  all.tests = drift_tests("all");
  const DriftResult nothing = found(constant, all);
  for (const auto& test : nothing.tests) EXPECT_EQ(test.p_val, 1) << static_cast<int>(test.test);
  const Sample two = sample(2, 1, 0, 1);
  expect_error(Fault::data, "at least 4", [&] { found(two, {}); });
  Sample none = sample(10, 1, 0, 1);
  none.new_blocks.clear();
  expect_error(Fault::data, "no new rows", [&] { found(none, {}); });
}

TEST(DriftStudy, SameBitsForAnyThreads) {
  for (const Index rows_a_block : {1, 7}) {
    const Sample s = sample(300, rows_a_block, 0.2, 13);
    DriftOptions options;
    options.tests = drift_tests("all");
    options.permutations = 50;
    options.max_rows = 200;
    const DriftResult a = found(s, options, {.threads = 1}), b = found(s, options, {.threads = 3});
    for (Index t = 0; t < a.tests.size(); ++t) {
      EXPECT_EQ(a.tests[t].distance, b.tests[t].distance);
      EXPECT_EQ(a.tests[t].p_val, b.tests[t].p_val);
      EXPECT_EQ(a.tests[t].threshold, b.tests[t].threshold);
    }
    if (rows_a_block == 1) {
      EXPECT_EQ(a.pair_rows, 200u);
    }
  }
}

TEST(DriftTests, ByName) {
  EXPECT_EQ(drift_tests("all").size(), 9u);
  EXPECT_EQ(drift_tests("energy,mmd,energy"), (std::vector<DriftTest>{DriftTest::energy, DriftTest::mmd}));
  expect_error(Fault::argument, "'chi'", [] { drift_tests("mmd,chi"); });
}

}  // namespace
}  // namespace shoal
