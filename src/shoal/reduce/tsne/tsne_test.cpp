#include "shoal/reduce/tsne/tsne.h"

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

bool finite(const Tsne& map) {
  for (Index i = 0; i < map.embedding().rows() * 2; ++i)
    if (!std::isfinite(map.embedding().data()[i])) return false;
  return std::isfinite(map.kl_divergence());
}

float apart(const Matrix& x, Index i, Index j) { return std::hypot(x[i][0] - x[j][0], x[i][1] - x[j][1]); }

// FNV-1a of the coordinates' bytes.
std::uint64_t hash(const Tsne& map) {
  std::uint64_t hash = 0xCBF29CE484222325u;
  for (Index i = 0; i < map.embedding().rows() * 2; ++i)
    hash = (hash ^ std::bit_cast<std::uint32_t>(map.embedding().data()[i])) * 0x100000001B3u;
  return hash;
}

TEST(Tsne, HeaderExample) {
  const Matrix rows = islands(6);
  const Tsne map = Tsne::fit(rows, {.perplexity = 50});
  EXPECT_EQ(map.embedding().rows(), 300u);
  EXPECT_EQ(map.embedding().cols(), 2u);
  EXPECT_GT(map.kl_divergence(), 0);
}

Index strangers(const Tsne& map) {
  const Matrix& y = map.embedding();
  Index count = 0;
  for (Index i = 0; i < y.rows(); ++i) {
    Index nearest = i == 0 ? 1 : 0;
    for (Index j = 0; j < y.rows(); ++j)
      if (j != i && apart(y, i, j) < apart(y, i, nearest)) nearest = j;
    count += nearest / 50 != i / 50;
  }
  return count;
}

TEST(Tsne, EveryPointIsNearestToItsOwnIsland) {
  const Matrix x = islands(6);
  for (const Metric metric : {Metric::cosine, Metric::euclidean})
    for (const TsneInit init : {TsneInit::pca, TsneInit::random})
      EXPECT_LE(strangers(Tsne::fit(x, {.perplexity = 15, .metric = metric, .init = init})), 3u);
  EXPECT_LE(strangers(Tsne::fit(islands(34), {.perplexity = 15, .n_iter = 400})), 17u);  // on the grid
}

TEST(Tsne, SameBitsForAnyThreads) {
  for (const Index groups : {4u, 100u}) {  // the larger one's passes are worth several threads
    const Matrix x = islands(groups);
    const TsneOptions options{.n_iter = 40, .early_exaggeration_iter = 20};
    const Tsne one = Tsne::fit(x, options, {.threads = 1});
    for (const unsigned threads : {2u, 3u, 8u}) {
      const Tsne other = Tsne::fit(x, options, {.threads = threads});
      EXPECT_EQ(other.embedding(), one.embedding()) << threads;
      EXPECT_EQ(other.kl_divergence(), one.kl_divergence()) << threads;
    }
    TsneOptions seed = options;
    seed.seed = {43};
    EXPECT_FALSE(Tsne::fit(x, seed).embedding() == one.embedding());
  }
}

// These bits must come out on every machine and at every SHOAL_LEVEL. A deliberate change of the layout
// changes the numbers.
TEST(Tsne, SameBitsEverywhere) {
  const TsneOptions options{.n_iter = 30, .early_exaggeration_iter = 15};
  EXPECT_EQ(hash(Tsne::fit(islands(4), options)), 17599044313137683530u);
  EXPECT_EQ(hash(Tsne::fit(islands(34), options)), 13862878157721551105u);
}

Rows first_rows(Index n) {
  static const Matrix all = islands(1);
  return all.view().slice(0, n);
}

TEST(Tsne, FewRows) {
  EXPECT_EQ(Tsne::fit(Matrix(0, 5)).embedding().rows(), 0u);
  EXPECT_EQ(Tsne::fit(first_rows(1)).embedding(), Matrix(1, 2));
  for (const Index n : {2u, 3u, 4u, 10u, 30u, 31u, 32u}) {
    const Tsne map = Tsne::fit(first_rows(n));
    ASSERT_EQ(map.embedding().rows(), n);
    EXPECT_TRUE(finite(map));
    EXPECT_EQ(map.perplexity(), n < 4 ? 1 : static_cast<double>(n - 1) / 3);
    for (Index i = 1; i < n; ++i) {
      EXPECT_GT(apart(map.embedding(), i, 0), 0) << n;
      EXPECT_LT(apart(map.embedding(), i, 0), 1000) << n;
    }
  }
}

TEST(Tsne, OneColumnAndNoColumn) {
  EXPECT_TRUE(finite(Tsne::fit(islands(2, 1), {.metric = Metric::euclidean})));
  EXPECT_TRUE(finite(Tsne::fit(islands(2, 1))));
  EXPECT_EQ(Tsne::fit(Matrix(4, 0)).embedding(), Matrix(4, 2));
}

TEST(Tsne, EqualRowsAndZeroRows) {
  Matrix equal(200, 4);
  for (Index i = 0; i < 200; ++i) equal[i][1] = 0.5f;
  for (const Metric metric : {Metric::cosine, Metric::euclidean}) {
    EXPECT_TRUE(finite(Tsne::fit(equal, {.metric = metric})));
    EXPECT_TRUE(finite(Tsne::fit(Matrix(50, 4), {.metric = metric})));
  }
  Matrix some = islands(4);
  for (Index i = 0; i < 100; ++i) std::fill(some[i].begin(), some[i].end(), i < 30 ? 0.0f : 1.0f);
  EXPECT_TRUE(finite(Tsne::fit(some)));
}

TEST(Tsne, ExaggerationTightens) {
  const Matrix x = islands(6);
  const auto size = [](const Tsne& map) {
    double sum = 0;
    for (Index i = 0; i < map.embedding().rows(); ++i)
      sum += std::hypot(map.embedding()[i][0], map.embedding()[i][1]);
    return sum;
  };
  const Tsne plain = Tsne::fit(x), tight = Tsne::fit(x, {.exaggeration = 4});
  EXPECT_LT(size(tight), 0.7 * size(plain));
  EXPECT_GT(tight.kl_divergence(), plain.kl_divergence());
}

TEST(Tsne, NoIterationsIsTheStart) {
  const Tsne map = Tsne::fit(islands(6), {.n_iter = 0, .early_exaggeration_iter = 0});
  double squares = 0;
  for (Index i = 0; i < 300; ++i) squares += std::pow(map.embedding()[i][0], 2);
  EXPECT_NEAR(std::sqrt(squares / 300), 1e-4, 1e-6);
}

TEST(Tsne, Refusals) {
  const Matrix x = islands(1);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const TsneOptions& wrong :
       {TsneOptions{.perplexity = 0.5}, TsneOptions{.perplexity = nan}, TsneOptions{.perplexity = 1e5},
        TsneOptions{.n_iter = 100}, TsneOptions{.n_iter = 2'000'000}, TsneOptions{.early_exaggeration = 0.5},
        TsneOptions{.early_exaggeration = nan}, TsneOptions{.exaggeration = 2000},
        TsneOptions{.learning_rate = 0}, TsneOptions{.learning_rate = nan}, TsneOptions{.early_momentum = 1},
        TsneOptions{.momentum = -0.1}})
    EXPECT_EQ(fault_of([&] { Tsne::fit(x, wrong); }), Fault::argument);
  Matrix bad = x;
  bad[7][2] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(fault_of([&] { Tsne::fit(bad); }), Fault::data);
}

TEST(Tsne, StopsAndReports) {
  for (const Index groups : {4u, 34u}) {
    std::stop_source source;
    std::vector<std::string> steps;
    const shoal::Run run{.threads = 2,
                         .stop = source.get_token(),
                         .progress = [&](std::string_view step, double done, double total) {
                           if (steps.empty() || steps.back() != step) steps.emplace_back(step);
                           if (step == "layout" && done == 10) source.request_stop();
                           EXPECT_LE(done, total);
                           EXPECT_LE(done, step == "layout" ? 10 : 1e9);
                         }};
    EXPECT_EQ(fault_of([&] { Tsne::fit(islands(groups), {}, run); }), Fault::cancelled);
    EXPECT_EQ(steps, (std::vector<std::string>{"neighbours", "layout"}));
  }
}

}  // namespace
}  // namespace shoal
