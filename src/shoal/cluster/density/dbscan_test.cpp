#include "shoal/cluster/density/dbscan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "shoal/cluster/density/merge_sets_impl.h"
#include "shoal/cluster/density/pair_filter_impl.h"
#include "shoal/core/error.h"
#include "shoal/kernels/kernels.h"
#include "shoal/store/archive/archive.h"
#include "tests/matrices.h"

namespace shoal {
namespace {

/// Clumps of many sizes, and rows between them; every seventh row is a copy of an earlier one.
Matrix clumps(Index rows, Index cols, float noise) {
  const Random random({5});
  Matrix m(rows, cols);
  for (Index i = 0; i < rows; ++i)
    for (Index j = 0; j < cols; ++j)
      m[i][j] = static_cast<float>(2 * random.normal((i * i % 11) * cols + j + 1000000) +
                                   noise * random.normal(i * cols + j));
  for (Index i = 7; i < rows; i += 7) std::ranges::copy(m[i / 7], m[i].begin());
  return m;
}

/// DBSCAN as it is defined: each cluster grown from its first core row, by the distances of all pairs.
Labels by_definition(const Matrix& x, float eps, Index min_samples, Metric metric) {
  const Prepared p = prepare(x, metric, {});
  const auto near = [&](Index a, Index b) { return a == b || distance(p, a, p, b) <= eps; };
  std::vector<bool> core(x.rows());
  for (Index i = 0; i < x.rows(); ++i) {
    Index count = 0;
    for (Index j = 0; j < x.rows(); ++j) count += near(i, j);
    core[i] = count >= min_samples;
  }
  Labels labels{std::vector<Label>(x.rows(), kNoise), 0};
  for (Index seed = 0; seed < x.rows(); ++seed) {
    if (!core[seed] || labels.of[seed] != kNoise) continue;
    std::vector<Index> stack{seed};
    labels.of[seed] = static_cast<Label>(labels.count);
    while (!stack.empty()) {
      const Index at = stack.back();
      stack.pop_back();
      if (!core[at]) continue;
      for (Index j = 0; j < x.rows(); ++j)
        if (labels.of[j] == kNoise && near(at, j)) {
          labels.of[j] = static_cast<Label>(labels.count);
          stack.push_back(j);
        }
    }
    ++labels.count;
  }
  return labels;
}

TEST(Dbscan, AnswerMadeByHand) {
  // 0..4 a chain of neighbours, 10 alone, 20..22 three near ones. 0 and 4 have 2 neighbours: border rows.
  const Matrix x = column({0, 1, 2, 3, 4, 10, 20, 21, 22});
  const Dbscan groups = Dbscan::fit(x, {.eps = 1, .min_samples = 3, .metric = Metric::euclidean});
  EXPECT_EQ(groups.labels().of, (std::vector<Label>{0, 0, 0, 0, 0, kNoise, 1, 1, 1}));
  EXPECT_EQ(groups.labels().count, 2u);
  EXPECT_EQ(groups.core_sample_indices(), (std::vector<std::uint32_t>{1, 2, 3, 7}));
}

TEST(Dbscan, ABorderRowJoinsTheClusterOfTheSmallestNumber) {
  // The row at 2 is within 1 of a core row of either side, but has too few neighbours itself. By the row
  // order the right side's core row comes first.
  const Matrix x = column({3, 3.5f, 3.5f, 2, 1, 0.5f, 0.5f});
  const Dbscan groups = Dbscan::fit(x, {.eps = 1, .min_samples = 4, .metric = Metric::euclidean});
  EXPECT_EQ(groups.core_sample_indices(), (std::vector<std::uint32_t>{0, 4}));
  EXPECT_EQ(groups.labels().of, (std::vector<Label>{0, 0, 0, 0, 1, 1, 1}));
}

TEST(Dbscan, IsItsDefinition) {
  for (const Metric metric : {Metric::cosine, Metric::euclidean})
    for (const float eps : {0.0f, 0.02f, 0.1f, 0.4f, 1.0f, 2.5f})
      for (const Index min_samples : {Index{1}, Index{2}, Index{6}}) {
        const Matrix x = clumps(700, 3, 0.3f);
        const Dbscan groups =
            Dbscan::fit(x, {.eps = eps, .min_samples = min_samples, .metric = metric}, {.threads = 3});
        const Labels expect = by_definition(x, eps, min_samples, metric);
        EXPECT_TRUE(groups.labels() == expect) << name_of(metric) << " eps " << eps << " " << min_samples;
      }
}

TEST(Dbscan, MorePairsThanAreKept) {
  // One dense clump: all pairs are neighbours, so that blocks are gone through twice.
  const Matrix x = clumps(1200, 4, 0.01f);
  const Dbscan groups = Dbscan::fit(x, {.eps = 30, .min_samples = 5, .metric = Metric::euclidean});
  EXPECT_EQ(groups.labels().of, std::vector<Label>(1200, 0));
  EXPECT_EQ(groups.core_sample_indices().size(), 1200u);
}

TEST(Dbscan, EqualsScikitLearn) {
  const ArchiveReader golden(SHOAL_SOURCE "/tests/golden/dbscan.safetensors");
  const Matrix x = golden.matrix("rows");
  for (const Metric metric : {Metric::cosine, Metric::euclidean}) {
    const std::string name = name_of(metric);
    const auto options = golden.floats(name + ".options", 2);
    const Dbscan groups =
        Dbscan::fit(x, {.eps = options[0], .min_samples = static_cast<Index>(options[1]), .metric = metric});
    const auto labels = golden.integers(name + ".labels"), core = golden.integers(name + ".core");
    EXPECT_TRUE(std::ranges::equal(groups.labels().of, labels)) << name;
    EXPECT_TRUE(std::ranges::equal(groups.core_sample_indices(), core)) << name;
  }
}

TEST(Dbscan, RowsOfZerosAreAtDistanceOne) {
  Matrix x(6, 2);
  for (Index i = 0; i < 3; ++i) x[i][0] = 1;
  const DbscanOptions near{.eps = 0.9, .min_samples = 2}, far{.eps = 1, .min_samples = 2};
  EXPECT_EQ(Dbscan::fit(x, near).labels().of, (std::vector<Label>{0, 0, 0, kNoise, kNoise, kNoise}));
  EXPECT_EQ(Dbscan::fit(x, far).labels().of, std::vector<Label>(6, 0));
}

TEST(Dbscan, RefusesWhatItCannotUse) {
  const Matrix x = column({1, 2});
  for (const double eps : {-0.1, std::nan(""), HUGE_VAL}) EXPECT_THROW(Dbscan::fit(x, {.eps = eps}), Error);
  EXPECT_THROW(Dbscan::fit(x, {.min_samples = 0}), Error);
  EXPECT_EQ(Dbscan::fit(column({3}), {.min_samples = 1}).labels().of, (std::vector<Label>{0}));
  EXPECT_EQ(Dbscan::fit(column({3})).labels().of, (std::vector<Label>{kNoise}));
}

TEST(PairFilter, NeverContradictsTheDistance) {
  for (const Metric metric : {Metric::cosine, Metric::euclidean}) {
    const Matrix x = clumps(260, 37, 0.001f);
    const Prepared p = prepare(x, metric, {});
    const PairFilter filter(p);
    for (Index a = 0; a < 260; ++a)
      for (Index b = 0; b < 260; b += 3) {
        const float product = kernels().dot(p.rows[a].data(), p.rows[b].data(), 37);
        const float d = distance(p, a, p, b);
        // What is as near as w may not be called farther, whatever w is.
        EXPECT_GE(product, filter.least(a) + filter.least(b) - filter.most_half_square(d));
        const float below = d * 0.999f;
        if (d > 0) {
          EXPECT_LT(product, filter.sure(a) + filter.sure(b) - filter.sure_half_square(below));
        }
      }
  }
}

TEST(MergeSets, TheSmallestMemberStandsForTheSet) {
  MergeSets sets(6);
  EXPECT_TRUE(sets.unite(5, 3));
  EXPECT_TRUE(sets.unite(4, 5));
  EXPECT_FALSE(sets.unite(3, 4));
  EXPECT_EQ(sets.find(5), 3u);
  EXPECT_TRUE(sets.unite(0, 4));
  EXPECT_EQ(sets.find(5), 0u);
  EXPECT_EQ(sets.find(1), 1u);
}

}  // namespace
}  // namespace shoal
