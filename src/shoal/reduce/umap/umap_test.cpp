#include "shoal/reduce/umap/umap.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <filesystem>
#include <limits>
#include <stop_token>

#include "shoal/core/error.h"
#include "shoal/core/random.h"
#include "shoal/store/archive/archive.h"
#include "tests/error_of.h"

namespace shoal {
namespace {

// Groups of 50 rows about random directions. Only operations that give the same bits everywhere.
Matrix islands(Index groups, Index cols = 10) {
  const Random centre(Seed{1}), around(Seed{2});
  Matrix x(groups * 50, cols);
  for (Index i = 0; i < x.rows(); ++i)
    for (Index j = 0; j < cols; ++j)
      x[i][j] = static_cast<float>(2 * centre.uniform(i / 50 * cols + j) - 1 +
                                   0.3 * (2 * around.uniform(i * cols + j) - 1));
  return x;
}

bool finite(const Matrix& x) {
  for (Index i = 0; i < x.rows() * x.cols(); ++i)
    if (!std::isfinite(x.data()[i])) return false;
  return true;
}

float apart(const Matrix& x, Index i, Index j) { return std::hypot(x[i][0] - x[j][0], x[i][1] - x[j][1]); }

TEST(Umap, HeaderExample) {
  const Matrix rows = islands(2);
  const Umap map = Umap::fit(rows, {.n_neighbors = 30});
  EXPECT_EQ(map.embedding().rows(), 100u);
  EXPECT_EQ(map.embedding().cols(), 2u);
}

TEST(Umap, EveryPointIsNearestToItsOwnIsland) {
  const Matrix x = islands(6);
  for (const Metric metric : {Metric::cosine, Metric::euclidean}) {
    const Umap map = Umap::fit(x, {.metric = metric});
    const Matrix& y = map.embedding();
    Index strangers = 0;
    for (Index i = 0; i < y.rows(); ++i) {
      Index nearest = i == 0 ? 1 : 0;
      for (Index j = 0; j < y.rows(); ++j)
        if (j != i && apart(y, i, j) < apart(y, i, nearest)) nearest = j;
      strangers += nearest / 50 != i / 50;
    }
    EXPECT_EQ(strangers, 0u) << name_of(metric);
  }
}

TEST(Umap, SameBitsForAnyThreads) {
  const Matrix x = islands(30);
  const Matrix one = Umap::fit(x, {.n_epochs = 30}, {.threads = 1}).embedding();
  for (unsigned threads : {2u, 3u, 8u})
    EXPECT_EQ(Umap::fit(x, {.n_epochs = 30}, {.threads = threads}).embedding(), one) << threads;
  EXPECT_FALSE(Umap::fit(x, {.n_epochs = 30, .seed = {43}}).embedding() == one);
}

// FNV-1a of the coordinates' bytes: these bits must come out on every machine and at every SHOAL_LEVEL. A
// deliberate change of the layout changes the number.
TEST(Umap, SameBitsEverywhere) {
  const Umap map = Umap::fit(islands(8), {.n_epochs = 50});
  std::uint64_t hash = 0xCBF29CE484222325u;
  for (Index i = 0; i < map.embedding().rows() * 2; ++i)
    hash = (hash ^ std::bit_cast<std::uint32_t>(map.embedding().data()[i])) * 0x100000001B3u;
  EXPECT_EQ(hash, 12569897187270652850u);
}

Rows first_rows(Index n) {
  static const Matrix all = islands(1);
  return all.view().slice(0, n);
}

TEST(Umap, FewRows) {
  EXPECT_EQ(Umap::fit(Matrix(0, 5)).embedding().rows(), 0u);
  EXPECT_EQ(Umap::fit(first_rows(1)).embedding(), Matrix(1, 2));
  for (Index n : {2u, 3u, 4u, 10u, 15u, 16u}) {
    const Umap map = Umap::fit(first_rows(n));
    ASSERT_EQ(map.embedding().rows(), n);
    EXPECT_TRUE(finite(map.embedding()));
    for (Index i = 1; i < n; ++i) {
      EXPECT_GT(apart(map.embedding(), i, 0), 0) << n;
      EXPECT_LT(apart(map.embedding(), i, 0), 100) << n;
    }
  }
}

TEST(Umap, OneColumnAndNoColumn) {
  EXPECT_TRUE(finite(Umap::fit(islands(2, 1), {.metric = Metric::euclidean}).embedding()));
  EXPECT_TRUE(finite(Umap::fit(islands(2, 1)).embedding()));
  EXPECT_EQ(Umap::fit(Matrix(4, 0)).embedding(), Matrix(4, 2));
}

TEST(Umap, EqualRowsAndZeroRows) {
  Matrix equal(200, 4);
  for (Index i = 0; i < 200; ++i) equal[i][1] = 0.5f;
  for (const Metric metric : {Metric::cosine, Metric::euclidean}) {
    EXPECT_TRUE(finite(Umap::fit(equal, {.metric = metric}).embedding()));
    EXPECT_TRUE(finite(Umap::fit(Matrix(50, 4), {.metric = metric}).embedding()));
  }
  Matrix some = islands(4);
  for (Index i = 0; i < 100; ++i) std::fill(some[i].begin(), some[i].end(), i < 30 ? 0.0f : 1.0f);
  EXPECT_TRUE(finite(Umap::fit(some).embedding()));
}

TEST(Umap, MinDistPacksCloser) {
  const auto mean_nearest = [](const Matrix& y) {
    double sum = 0;
    for (Index i = 0; i < y.rows(); ++i) {
      float least = std::numeric_limits<float>::infinity();
      for (Index j = 0; j < y.rows(); ++j)
        if (j != i) least = std::min(least, apart(y, i, j));
      sum += least;
    }
    return sum;
  };
  const Matrix x = islands(6);
  EXPECT_LT(mean_nearest(Umap::fit(x, {.min_dist = 0}).embedding()),
            0.7 * mean_nearest(Umap::fit(x, {.min_dist = 0.8f}).embedding()));
}

TEST(Umap, Refusals) {
  const Matrix x = islands(1);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const UmapOptions& wrong :
       {UmapOptions{.n_neighbors = 1}, UmapOptions{.min_dist = -0.1f}, UmapOptions{.min_dist = 1.1f},
        UmapOptions{.min_dist = nan}, UmapOptions{.spread = 0}, UmapOptions{.spread = nan},
        UmapOptions{.spread = 0.009f}, UmapOptions{.spread = 101}, UmapOptions{.n_epochs = 0},
        UmapOptions{.learning_rate = 0}, UmapOptions{.learning_rate = nan},
        UmapOptions{.negative_sample_rate = 1001}})
    EXPECT_EQ(fault_of([&] { Umap::fit(x, wrong); }), Fault::argument);
  Matrix bad = x;
  bad[7][2] = nan;
  EXPECT_EQ(fault_of([&] { Umap::fit(bad); }), Fault::data);
}

TEST(Umap, StopsAndReports) {
  const Matrix x = islands(4);
  std::stop_source source;
  std::vector<std::string> steps;
  const shoal::Run run{.threads = 2,
                       .stop = source.get_token(),
                       .progress = [&](std::string_view step, double done, double total) {
                         if (steps.empty() || steps.back() != step) steps.emplace_back(step);
                         if (step == "layout" && done == 10) source.request_stop();
                         EXPECT_LE(done, total);
                       }};
  EXPECT_EQ(fault_of([&] { Umap::fit(x, {}, run); }), Fault::cancelled);
  EXPECT_EQ(steps, (std::vector<std::string>{"neighbours", "layout"}));
}

}  // namespace
}  // namespace shoal
