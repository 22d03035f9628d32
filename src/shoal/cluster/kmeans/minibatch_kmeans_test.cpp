#include "shoal/cluster/kmeans/minibatch_kmeans.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "shoal/core/error.h"
#include "shoal/core/random.h"
#include "tests/error_of.h"

namespace shoal {
namespace {

/// `groups` heaps of rows; `first` lets a stream go on where it stopped.
Matrix heaps(Index rows, Index cols, Index groups, float noise, Index first = 0) {
  const Random random({11});
  Matrix m(rows, cols);
  for (Index i = 0; i < rows; ++i)
    for (Index j = 0; j < cols; ++j)
      m[i][j] = static_cast<float>(3 * random.normal((i % groups) * cols + j) +
                                   noise * random.normal((first + i) * cols + j + 1000000));
  return m;
}

TEST(MiniBatchKMeans, FollowsAStream) {
  auto groups = MiniBatchKMeans::begin(heaps(60, 4, 3, 0.1f), {.n_clusters = 3});
  for (Index i = 1; i < 20; ++i) groups.update(heaps(60, 4, 3, 0.1f, 60 * i));
  EXPECT_EQ(groups.n_steps(), 20u);
  for (const double count : groups.counts()) EXPECT_EQ(count, 400);
  EXPECT_EQ(groups.labels().of.size(), 60u);
  const Matrix x = heaps(60, 4, 3, 0.1f, 1140);
  EXPECT_EQ(groups.predict(x), groups.labels());
  for (Index i = 3; i < 60; ++i) EXPECT_EQ(groups.labels().of[i], groups.labels().of[i - 3]);
}

// After one step from one centroid: the mean of the batch; after two: the mean of both, each row alike.
TEST(MiniBatchKMeans, ACentroidIsTheMeanOfAllItsRows) {
  Matrix first(2, 1), second(3, 1);
  first[0][0] = 1, first[1][0] = 2;
  second[0][0] = 6, second[1][0] = 7, second[2][0] = 9;
  auto groups = MiniBatchKMeans::begin(first, {.n_clusters = 1, .reassignment_ratio = 0});
  EXPECT_FLOAT_EQ(groups.cluster_centers()[0][0], 1.5f);
  EXPECT_NEAR(groups.inertia(), 0.5, 1e-6);
  groups.update(second);
  EXPECT_FLOAT_EQ(groups.cluster_centers()[0][0], 5);
  EXPECT_NEAR(groups.inertia(), 1 + 4 + 16, 1e-5);
  groups.update(Matrix(0, 1));
  EXPECT_FLOAT_EQ(groups.cluster_centers()[0][0], 5);
  EXPECT_TRUE(groups.labels().of.empty());
}

TEST(MiniBatchKMeans, ComesNearLloyd) {
  const Matrix x = heaps(20000, 8, 12, 2.0f);
  const double lloyd = KMeans::fit(x, {.n_clusters = 12, .n_init = 3}).inertia();
  const auto groups = MiniBatchKMeans::fit(x, {.n_clusters = 12});
  EXPECT_LT(groups.inertia(), lloyd * 1.1);
  EXPECT_EQ(groups.predict(x), groups.labels());
  EXPECT_LT(groups.n_steps(), 2000u) << "did not notice that nothing improves";
}

TEST(MiniBatchKMeans, OnTheSphere) {
  Matrix x = heaps(3000, 6, 5, 0.3f);
  std::ranges::fill(x[77], 0.0f);
  const auto plain = MiniBatchKMeans::fit(x, {.n_clusters = 5, .metric = Metric::cosine});
  EXPECT_EQ(plain.labels().of[77], kNoise);
  const Matrix distances = plain.transform(x);
  EXPECT_EQ(distances[77][2], 1);
  EXPECT_EQ(plain.predict(x), plain.labels());
  for (Index i = 0; i < 3000; ++i)
    for (float& v : x[i]) v *= i % 2 == 0 ? 0.125f : 1024.0f;  // lengths do not count
  const auto scaled = MiniBatchKMeans::fit(x, {.n_clusters = 5, .metric = Metric::cosine});
  EXPECT_EQ(scaled.labels(), plain.labels());
  for (Index c = 0; c < 5; ++c) {
    double squared = 0;
    for (const float v : plain.cluster_centers()[c]) squared += v * v;
    EXPECT_NEAR(squared, 1, 1e-6);
  }
}

// Two heaps, but both centroids start in the first, since the first batch shows only that.
TEST(MiniBatchKMeans, AStarvingCentroidMoves) {
  Matrix first(40, 1), later(400, 1);
  for (Index i = 0; i < 40; ++i) first[i][0] = i < 39 ? 0.001f * static_cast<float>(i) : 50;  // 50: one row
  for (Index i = 0; i < 400; ++i) later[i][0] = (i % 2 == 0 ? 0 : 10) + 0.001f * static_cast<float>(i);
  const auto after = [&](double ratio) {
    auto groups = MiniBatchKMeans::begin(first, {.n_clusters = 2, .reassignment_ratio = ratio});
    for (int i = 0; i < 30; ++i) groups.update(later);
    return groups.inertia();
  };
  EXPECT_GT(after(0), 400 * 20.0);
  EXPECT_LT(after(0.1), 400 * 1.0);
}

TEST(MiniBatchKMeans, ASampleWithoutEnoughDistinctRowsIsNoError) {
  Matrix x(5000, 2);
  for (Index i = 0; i < 9; ++i) x[i * 500][1] = static_cast<float>(i + 1);  // ten distinct rows, nine rare
  const auto groups = MiniBatchKMeans::fit(x, {.n_clusters = 10, .batch_size = 4});
  EXPECT_EQ(groups.labels().count, 10u);
  const Error e = error_of([&] { MiniBatchKMeans::fit(x, {.n_clusters = 11, .batch_size = 4}); });
  EXPECT_EQ(e.fault, Fault::data);
  EXPECT_NE(std::string(e.what()).find("only 10 distinct"), std::string::npos) << e.what();
}

TEST(MiniBatchKMeans, ABatchThatFailsChangesNothing) {
  auto groups = MiniBatchKMeans::begin(heaps(60, 4, 3, 0.1f), {.n_clusters = 3});
  const Matrix before = groups.cluster_centers();
  Matrix bad = heaps(60, 4, 3, 0.1f);
  bad[40][1] = std::numeric_limits<float>::infinity();
  EXPECT_NE(std::string(error_of([&] { groups.update(bad); }).what()).find("row 40"), std::string::npos);
  EXPECT_EQ(error_of([&] { groups.update(Matrix(3, 5)); }).fault, Fault::data);
  EXPECT_TRUE(groups.cluster_centers() == before);
  EXPECT_EQ(groups.n_steps(), 1u);
}

TEST(MiniBatchKMeans, RefusesBadOptions) {
  const Matrix x = heaps(60, 4, 3, 0.1f);
  const auto refuses = [&](const MiniBatchKMeansOptions& o, const char* what) {
    const Error e = error_of([&] { MiniBatchKMeans::fit(x, o); });
    EXPECT_EQ(e.fault, Fault::argument);
    EXPECT_NE(std::string(e.what()).find(what), std::string::npos) << e.what();
  };
  refuses({.n_clusters = 0}, "n_clusters is 0");
  refuses({.batch_size = 0}, "batch_size is 0");
  refuses({.max_iter = 0}, "max_iter is 0");
  refuses({.max_no_improvement = 0}, "max_no_improvement is 0");
  refuses({.reassignment_ratio = 1.5}, "reassignment_ratio is 1.5");
}

}  // namespace
}  // namespace shoal
