#include "shoal/cluster/selection/stability.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>

#include "shoal/cluster/kmeans/spherical_kmeans.h"
#include "shoal/core/error.h"
#include "tests/error_of.h"

namespace shoal {
namespace {

/// Row i is (i, 1): a method sees which rows it was given.
Matrix counted(Index rows) {
  Matrix x(rows, 2);
  for (Index i = 0; i < rows; ++i) x[i][0] = static_cast<float>(i), x[i][1] = 1;
  return x;
}

std::vector<Index> ids(const Rows& x) {
  const Matrix m = x.to_matrix();
  std::vector<Index> out;
  for (Index i = 0; i < m.rows(); ++i) out.push_back(static_cast<Index>(m[i][0]));
  return out;
}

/// By halves of 0..rows-1, named the other way round than the reference below.
Labels halves(const Rows& x, Index rows) {
  Labels labels{{}, 2};
  for (const Index id : ids(x)) labels.of.push_back(id < rows / 2 ? 1 : 0);
  return labels;
}

Labels reference(Index rows) {
  Labels labels{std::vector<Label>(rows, 0), 2};
  std::fill(labels.of.begin() + static_cast<std::ptrdiff_t>(rows / 2), labels.of.end(), 1);
  return labels;
}

TEST(Stability, OfAMethodThatAlwaysSaysTheSame) {
  const Matrix x = counted(40);
  const Stability s =
      measure_stability(x, reference(40), [](const Rows& rows, Index, Seed) { return halves(rows, 40); });
  EXPECT_EQ(s.n_clusters, 2u);
  EXPECT_EQ(s.adjusted_rand, std::vector<double>(20, 1.0));
  EXPECT_EQ(s.mean, 1);
  EXPECT_EQ(s.spread, 0);
  EXPECT_EQ(s.jaccard, (std::vector<double>{1, 1}));
  EXPECT_EQ(s.confidence, std::vector<float>(40, 1.0f));
}

TEST(Stability, AnswerMadeByHand) {
  // 20 rows; the method always puts rows 8 and 9 of the first half to the second.
  const Matrix x = counted(20);
  Index calls = 0;
  std::vector<double> first_jaccard, second_jaccard;
  const ClusterMethod method = [&](const Rows& rows, Index k, Seed) {
    EXPECT_EQ(k, 2u);
    ++calls;
    Labels labels{{}, 2};
    double before = 0, moved = 0, after = 0;
    for (const Index id : ids(rows)) {
      labels.of.push_back(id < 8 ? 0 : 1);
      before += id < 8, moved += id == 8 || id == 9, after += id >= 10;
    }
    first_jaccard.push_back(before / (before + moved));
    second_jaccard.push_back(after / (after + moved));
    return labels;
  };
  const Stability s = measure_stability(x, reference(20), method, {.resamples = 8});
  EXPECT_EQ(calls, 8u);
  const auto mean = [](const std::vector<double>& v) {
    double sum = 0;
    for (const double a : v) sum += a;
    return sum / static_cast<double>(v.size());
  };
  EXPECT_NEAR(s.jaccard[0], mean(first_jaccard), 1e-12);
  EXPECT_NEAR(s.jaccard[1], mean(second_jaccard), 1e-12);
  for (Index i = 0; i < 20; ++i) EXPECT_EQ(s.confidence[i], i == 8 || i == 9 ? 0.0f : 1.0f) << i;
  EXPECT_NEAR(s.mean, mean(s.adjusted_rand), 1e-12);
  double squares = 0;
  for (const double a : s.adjusted_rand) squares += (a - s.mean) * (a - s.mean);
  EXPECT_NEAR(s.spread, std::sqrt(squares / 7), 1e-12);
  EXPECT_GT(s.spread, 0);
}

TEST(Stability, NoiseIsALabelButNoCluster) {
  const Matrix x = counted(30);
  Labels labels = reference(30);
  labels.of[0] = labels.of[1] = kNoise;
  labels.count = 3;  // the third has no rows
  const Stability s = measure_stability(x, labels, [](const Rows& rows, Index, Seed) {
    Labels found{{}, 2};  // finds the noise again, calls row 2 noise too, and nothing of the second half
    for (const Index id : ids(rows)) found.of.push_back(id < 3 || id >= 15 ? kNoise : 0);
    return found;
  });
  EXPECT_EQ(s.confidence[0], 1);
  EXPECT_EQ(s.confidence[1], 1);
  EXPECT_EQ(s.confidence[2], 0);
  EXPECT_EQ(s.confidence[3], 1);
  EXPECT_EQ(s.confidence[20], 0);  // its cluster has no counterpart
  EXPECT_EQ(s.jaccard[1], 0);
  EXPECT_TRUE(std::isnan(s.jaccard[2]));
}

TEST(Stability, DrawsPartsAndBootstraps) {
  const Matrix x = counted(200);
  std::set<std::vector<Index>> drawn;
  std::set<std::uint64_t> seeds;
  StabilityOptions options{.resamples = 6, .share = 0.3};
  const ClusterMethod method = [&](const Rows& rows, Index, Seed seed) {
    drawn.insert(ids(rows));
    seeds.insert(seed.value);
    return halves(rows, 200);
  };
  const Stability part = measure_stability(x, reference(200), method, options);
  EXPECT_EQ(drawn.size(), 6u);
  EXPECT_EQ(seeds.size(), 6u);
  for (const auto& rows : drawn) {
    EXPECT_EQ(rows.size(), 60u);
    EXPECT_TRUE(std::ranges::is_sorted(rows, std::less_equal{}));  // each once
  }
  EXPECT_GT(std::ranges::count_if(part.confidence, [](float c) { return std::isnan(c); }),
            5);  // 0.7^6 of 200
  const auto again = drawn;
  measure_stability(x, reference(200), method, options);
  EXPECT_EQ(drawn, again);  // the same by the same seed
  drawn.clear();
  options.resample = Resample::bootstrap;
  const Stability bootstrap = measure_stability(x, reference(200), method, options);
  for (const auto& rows : drawn) {
    EXPECT_EQ(rows.size(), 200u);
    EXPECT_TRUE(std::ranges::is_sorted(rows));
    EXPECT_NEAR(static_cast<double>(std::set(rows.begin(), rows.end()).size()), 126, 25);
  }
  EXPECT_EQ(bootstrap.mean, 1);
}

TEST(Stability, CutsOfOneTreeAreJoinedOnce) {
  const Matrix x = counted(12);
  Index calls = 0;
  const JoinMethod chain = [&](const Rows& rows) {  // (((0 1) 2) 3) ...
    ++calls;
    const auto n = static_cast<std::uint32_t>(rows.rows());
    Dendrogram tree{n, {{0, 1, 1, 2}}};
    for (std::uint32_t i = 2; i < n; ++i)
      tree.merges.push_back({i, n + i - 2, static_cast<double>(i), i + 1});
    return tree;
  };
  const Dendrogram tree = chain(x);
  calls = 0;
  const auto all = measure_stability(x, {tree.cut(2), tree.cut(5)}, chain, {.resamples = 4});
  EXPECT_EQ(calls, 4u);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].n_clusters, 2u);
  EXPECT_EQ(all[1].n_clusters, 5u);
  const auto one = measure_stability(
      x, tree.cut(5), [&](const Rows& rows, Index k, Seed) { return chain(rows).cut(k); }, {.resamples = 4});
  EXPECT_EQ(one.adjusted_rand, all[1].adjusted_rand);
}

TEST(Stability, LevelsByTheirThresholds) {
  const auto level = [](double jaccard) -> std::string {
    const StabilityLevel* found = stability_level(jaccard);
    return found == nullptr ? "none" : found->name;
  };
  EXPECT_EQ(level(1), "very stable");
  EXPECT_EQ(level(0.85), "very stable");
  EXPECT_EQ(level(0.8499), "stable");
  EXPECT_EQ(level(0.75), "stable");
  EXPECT_EQ(level(0.6), "doubtful");
  EXPECT_EQ(level(0.5999), "not to be trusted");
  EXPECT_EQ(level(0), "not to be trusted");
  EXPECT_EQ(level(std::nan("")), "none");
}

TEST(Stability, RefusesWhatDoesNotFit) {
  const Matrix x = counted(10);
  const ClusterMethod method = [](const Rows& rows, Index, Seed) { return halves(rows, 10); };
  const auto fault = [&](const Labels& labels, const ClusterMethod& m, const StabilityOptions& options) {
    return fault_of([&] { measure_stability(x, labels, m, options); });
  };
  measure_stability(x, reference(10), method, {.resamples = 2});  // fits
  EXPECT_EQ(fault(reference(9), method, {}), Fault::data);
  EXPECT_EQ(fault({std::vector<Label>(10, 3), 2}, method, {}), Fault::data);
  EXPECT_EQ(fault(reference(10), method, {.resamples = 1}), Fault::argument);
  for (const double share : {0.0, 1.0, -1.0, std::nan("")})
    EXPECT_EQ(fault(reference(10), method, {.share = share}), Fault::argument);
  EXPECT_EQ(fault(reference(10),
                  [](const Rows&, Index, Seed) {
                    return Labels{{0}, 1};
                  },
                  {}),
            Fault::argument);
}

}  // namespace
}  // namespace shoal
