#include "shoal/cluster/kmeans/spherical_kmeans.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <numeric>

#include "shoal/cluster/kmeans/lloyd_impl.h"
#include "shoal/cluster/kmeans/seeding_impl.h"
#include "shoal/core/error.h"
#include "shoal/kernels/kernels.h"
#include "shoal/linear/norms.h"
#include "shoal/near/nearness_impl.h"
#include "shoal/store/archive/archive.h"
#include "tests/error_of.h"
#include "tests/matrices.h"
#include "tests/scratch_folder.h"

namespace shoal {
namespace {

TEST(SphericalKMeans, FindsTwoDirections) {
  const Matrix x = from({{1, 0.1f}, {0.1f, 3}, {2, 0}, {0, 1}, {5, 0.5f}, {0.01f, 0.2f}});
  const auto groups = SphericalKMeans::fit(x, {.n_clusters = 2});
  const auto& of = groups.labels().of;
  EXPECT_EQ(groups.labels().count, 2u);
  EXPECT_EQ(of[0], of[2]);
  EXPECT_EQ(of[0], of[4]);
  EXPECT_EQ(of[1], of[3]);
  EXPECT_EQ(of[1], of[5]);
  EXPECT_NE(of[0], of[1]);
  EXPECT_EQ(groups.predict(from({{9, 1}, {1, 9}})).of, (std::vector<Label>{of[0], of[1]}));
}

TEST(SphericalKMeans, AnswerMadeByHand) {
  // Rows at 0, 0, 90 and 60 degrees from centroids at 0 and 90: 60 goes to 90, whose centroid becomes 75.
  const float s = std::sqrt(3.0f) / 2;
  const Matrix x = from({{1, 0}, {7, 0}, {0, 1}, {0.5f, s}});
  const auto groups = SphericalKMeans::fit_from(x, from({{2, 0}, {0, 2}}), {.n_clusters = 2, .tol = 0});
  EXPECT_EQ(groups.labels().of, (std::vector<Label>{0, 0, 1, 1}));
  EXPECT_EQ(groups.n_iter(), 1u);
  const double c15 = std::cos(std::acos(-1.0) / 12);
  EXPECT_NEAR(groups.objective(), 2 + 2 * c15, 1e-7);
  EXPECT_NEAR(groups.inertia(), 2 * (2 - 2 * c15), 1e-7);
  EXPECT_NEAR(groups.cluster_centers()[1][0], std::sin(std::acos(-1.0) / 12), 1e-7);
  const Matrix far = groups.transform(from({{0, -1}, {1, 0}}));
  EXPECT_NEAR(far[0][0], 1, 1e-6);
  EXPECT_NEAR(far[0][1], 1 + c15, 1e-6);
  EXPECT_EQ(far[1][0], 0);
}

TEST(SphericalKMeans, ARowOfZerosIsNoise) {
  const Matrix x = from({{1, 0}, {0, 0}, {0, 1}, {0, 0}});
  const auto groups = SphericalKMeans::fit(x, {.n_clusters = 2});
  EXPECT_EQ(groups.labels().of[1], kNoise);
  EXPECT_EQ(groups.labels().of[3], kNoise);
  EXPECT_NEAR(groups.objective(), 2, 1e-6);
  EXPECT_NEAR(groups.inertia(), 0, 1e-6);
  EXPECT_EQ(groups.predict(x), groups.labels());
  const Matrix distances = groups.transform(x);
  EXPECT_EQ(distances[1][0], 1);
}

TEST(SphericalKMeans, RefusesBadOptionsByName) {
  const Matrix x = scattered(12, 3, 2, 1, 1.5f);
  const auto says = [&](const SphericalKMeansOptions& o, Fault fault, const std::string& text) {
    const Error e = error_of([&] { SphericalKMeans::fit(x, o); });
    EXPECT_EQ(e.fault, fault);
    EXPECT_NE(std::string(e.what()).find(text), std::string::npos) << e.what();
  };
  says({.n_clusters = 0}, Fault::argument, "n_clusters is 0");
  says({.max_iter = 0}, Fault::argument, "max_iter is 0");
  says({.n_init = 0}, Fault::argument, "n_init is 0");
  says({.tol = -1}, Fault::argument, "tol is -1");
  says({.tol = std::nan("")}, Fault::argument, "tol is");
  says({.n_clusters = 40}, Fault::data, "n_clusters is 40, but only 12 rows");
}

TEST(SphericalKMeans, CountsDistinctDirections) {
  Matrix x(20, 4);
  for (Index i = 0; i < 18; ++i)
    x[i][i % 3] = static_cast<float>(1 << (i % 5));  // three directions; two zero rows
  const Error e = error_of([&] { SphericalKMeans::fit(x, {.n_clusters = 4}); });
  EXPECT_EQ(e.fault, Fault::data);
  EXPECT_STREQ(e.what(), "n_clusters is 4, but only 3 distinct non-zero rows were given; allowed: 1..3");
  const auto three = SphericalKMeans::fit(x, {.n_clusters = 3});
  EXPECT_NEAR(three.objective(), 18, 1e-9);
  const Matrix zeros(3, 2);
  EXPECT_EQ(error_of([&] { SphericalKMeans::fit(zeros, {.n_clusters = 1}); }).fault, Fault::data);
}

TEST(SphericalKMeans, NamesTheRowThatIsNotFinite) {
  Matrix x = scattered(5000, 3, 2, 1, 1.5f);
  x[4001][2] = std::numeric_limits<float>::infinity();
  x[4500][0] = std::nanf("");
  for (unsigned threads : {1u, 3u}) {
    const Error e = error_of([&] { SphericalKMeans::fit(x, {.n_clusters = 2}, {.threads = threads}); });
    EXPECT_EQ(e.fault, Fault::data);
    EXPECT_NE(std::string(e.what()).find("row 4001"), std::string::npos) << e.what();
  }
}

TEST(SphericalKMeans, TakesNumbersOfAnySize) {
  Matrix x = scattered(60, 5, 3, 2, 0.1f);
  const auto plain = SphericalKMeans::fit(x, {.n_clusters = 3, .n_init = 1});
  for (Index i = 0; i < 60; ++i)
    for (float& v : x[i]) v *= i % 2 == 0 ? 0x1p-100f : 0x1p120f;  // none so small that it would lose bits
  const auto scaled = SphericalKMeans::fit(x, {.n_clusters = 3, .n_init = 1});
  EXPECT_EQ(scaled.labels(), plain.labels());
  EXPECT_TRUE(scaled.cluster_centers() == plain.cluster_centers());
}

TEST(SphericalKMeans, AnEmptyClusterTakesTheFurthestRow) {
  const Matrix x = from({{1, 0}, {1, 0.1f}, {1, 0.2f}, {0, 1}});
  const Matrix start = from({{1, 0.1f}, {-1, 0}});  // nobody is nearest to the second
  const auto groups = SphericalKMeans::fit_from(x, start, {.n_clusters = 2, .tol = 0});
  EXPECT_EQ(groups.labels().of, (std::vector<Label>{0, 0, 0, 1}));
}

TEST(SphericalKMeans, EqualRowsCannotFillTwoClusters) {
  const Matrix x = from({{1, 2}, {1, 2}, {1, 2}});
  const auto groups = SphericalKMeans::fit_from(x, from({{1, 1}, {1, 1}}), {.n_clusters = 2, .tol = 0});
  EXPECT_EQ(groups.labels().of, (std::vector<Label>{0, 0, 0}));  // ties by the smaller id
  EXPECT_EQ(groups.labels().count, 2u);
}

TEST(SphericalKMeans, MoreStartsAreNeverWorse) {
  const Matrix x = scattered(400, 8, 12, 9, 0.5f);
  double before = 0;
  for (Index n_init : {1u, 3u, 9u}) {
    const double now = SphericalKMeans::fit(x, {.n_clusters = 12, .n_init = n_init}).objective();
    EXPECT_GE(now, before);
    before = now;
  }
}

TEST(SphericalKMeans, StartsAreAsManyAsABudgetAllows) {
  EXPECT_EQ(default_n_init(0, 8, 384), 10u);
  EXPECT_EQ(default_n_init(1000, 10, 384), 10u);
  EXPECT_EQ(default_n_init(13083, 77, 384), 10u);
  EXPECT_EQ(default_n_init(22500, 150, 384), 4u);
  EXPECT_EQ(default_n_init(63666, 103, 200), 4u);
  EXPECT_EQ(default_n_init(63666, 300, 384), 1u);
  EXPECT_EQ(default_n_init(63666, 150, 384), 1u);
  EXPECT_EQ(default_n_init(Index{1} << 40, Index{1} << 20, 4096), 1u);
  const Matrix x = scattered(300, 6, 9, 2);
  const auto usual = SphericalKMeans::fit(x, {.n_clusters = 9}),
             ten = SphericalKMeans::fit(x, {.n_clusters = 9, .n_init = 10});
  EXPECT_EQ(usual.options().n_init, 10u);
  EXPECT_EQ(usual.labels(), ten.labels());
  EXPECT_GE(usual.objective(), SphericalKMeans::fit(x, {.n_clusters = 9, .n_init = 1}).objective());
  const ScratchFolder scratch;
  const auto path = scratch / "from";
  ArchiveWriter out(SphericalKMeans::kind);
  SphericalKMeans::fit_from(x, ten.cluster_centers(), {.n_clusters = 9}).save(out);  // no start of its own
  out.write(path);
  EXPECT_FALSE(SphericalKMeans::load(ArchiveReader(path)).options().n_init.has_value());
}

TEST(SphericalKMeans, AWeightIsSoManyRows) {
  const Matrix x = scattered(60, 5, 4, 3, 1.5f);
  std::vector<float> weights(60);
  std::vector<Index> repeated;
  for (Index i = 0; i < 60; ++i) {
    weights[i] = static_cast<float>(i % 4);
    repeated.insert(repeated.end(), i % 4, i);
  }
  Matrix longer(repeated.size(), 5);
  for (Index i = 0; i < repeated.size(); ++i) std::ranges::copy(x[repeated[i]], longer[i].begin());
  Matrix start(4, 5);
  for (Index c = 0; c < 4; ++c) std::ranges::copy(x[c + 9], start[c].begin());
  const SphericalKMeansOptions options{.n_clusters = 4, .tol = 0};
  const auto weighted = SphericalKMeans::fit_from(x, start, options, {}, weights);
  const auto plain = SphericalKMeans::fit_from(longer, start, options);
  for (float& w : weights) w *= 0x1p-60f;  // weights are relative, however small
  const auto tiny = SphericalKMeans::fit_from(x, start, options, {}, weights);
  EXPECT_TRUE(tiny.cluster_centers() == weighted.cluster_centers());
  EXPECT_NEAR(weighted.objective(), plain.objective(), 1e-5);
  EXPECT_NEAR(weighted.inertia(), plain.inertia(), 1e-5);
  EXPECT_EQ(weighted.predict(x), weighted.labels());
  for (Index i = 0; i < repeated.size(); ++i)
    EXPECT_EQ(plain.labels().of[i], weighted.labels().of[repeated[i]]);
  for (Index c = 0; c < 4; ++c)
    for (Index j = 0; j < 5; ++j)
      EXPECT_NEAR(weighted.cluster_centers()[c][j], plain.cluster_centers()[c][j], 1e-6);
}

TEST(SphericalKMeans, LoadRefusesCentersThatAreNotOfLengthOne) {
  const ScratchFolder scratch;
  const auto path = scratch / "centers";
  const auto load = [&](float v) {
    ArchiveWriter out(SphericalKMeans::kind);
    out.options(list_fields(SphericalKMeansOptions{.n_clusters = 2}));
    out.add("centers", from({{1, 0}, {0, v}}));
    out.add("labels", std::span<const std::int32_t>());
    const double objective = 0;
    out.add("objective", std::span(&objective, 1));
    const std::int64_t n_iter = 1;
    out.add("n_iter", std::span(&n_iter, 1));
    out.write(path);
    return SphericalKMeans::load(ArchiveReader(path));
  };
  EXPECT_EQ(load(1).predict(from({{0, 3}})).of, std::vector<Label>{1});
  for (float v : {std::nanf(""), std::numeric_limits<float>::infinity(), 2.0f, 0.0f}) {
    const Error e = error_of([&] { load(v); });
    EXPECT_EQ(e.fault, Fault::format);
    EXPECT_NE(std::string(e.what()).find("center 1"), std::string::npos) << e.what();
  }
}

// ---- exactness: with bounds, without them, and as written on paper

struct Paper {
  std::vector<Label> labels;
  double objective = 0;
};

/// Lloyd's algorithm in double, one row after another.
Paper paper_lloyd(const Matrix& x, const Matrix& start, Index rounds) {
  const Index n = x.rows(), d = x.cols(), k = start.rows();
  std::vector<double> centers(start.data(), start.data() + k * d);
  Paper p{std::vector<Label>(n), 0};
  for (Index round = 0;; ++round) {
    p.objective = 0;
    for (Index i = 0; i < n; ++i) {
      double best = -2;
      for (Index c = 0; c < k; ++c) {
        const double cosine = std::inner_product(x[i].begin(), x[i].end(), centers.begin() + c * d, 0.0);
        if (cosine > best) best = cosine, p.labels[i] = static_cast<Label>(c);
      }
      p.objective += best;
    }
    if (round == rounds) return p;
    std::vector<double> sums(k * d);
    for (Index i = 0; i < n; ++i)
      for (Index j = 0; j < d; ++j) sums[p.labels[i] * d + j] += x[i][j];
    for (Index c = 0; c < k; ++c) {
      const auto sum = std::span(sums).subspan(c * d, d);
      const double length = std::sqrt(std::inner_product(sum.begin(), sum.end(), sum.begin(), 0.0));
      for (Index j = 0; j < d; ++j) centers[c * d + j] = sum[j] / length;
    }
  }
}

TEST(Lloyd, IsWhatThePaperSays) {
  Matrix x = scattered(900, 20, 10, 4, 1.0f);
  unit_rows(x.span());
  const MetricRows rows(Rows(x), Metric::cosine, {});
  const Matrix start = seed_centers(rows, 10, {5}, {});
  for (Index rounds : {1u, 2u, 6u}) {
    const Paper p = paper_lloyd(x, start, rounds);
    const LloydResult r = lloyd(rows, start, {.max_iter = rounds, .tol = 0}, {});
    EXPECT_EQ(r.labels.of, p.labels);
    EXPECT_NEAR(r.objective, p.objective, 1e-4);
  }
}

/// Labels by every product, or every squared distance, with these centers.
std::vector<Label> all_products(const MetricRows& rows, const Matrix& centers) {
  std::vector<Label> labels(rows.rows(), kNoise);
  RowScratch scratch;
  const MatrixView x = rows.block(0, rows.rows(), scratch);
  Matrix closeness(rows.rows(), centers.rows());
  multiply(x, Packed::rows(centers.view()), {}, Activation::none, closeness.span());
  for (Index i = 0; i < rows.rows(); ++i) {
    for (Index c = 0; c < centers.rows() && rows.metric() == Metric::euclidean; ++c)
      closeness[i][c] = -kernels().squared_distance(x[i].data(), centers[c].data(), x.cols);
    if (!rows.zero(i)) labels[i] = largest(closeness[i]).label;
  }
  return labels;
}

struct Shape {
  Index rows, cols, groups, clusters;
  float noise;
};

class LloydBounds : public testing::TestWithParam<Shape> {
 protected:
  static void change_no_bit(const Shape& s, Metric metric, std::span<const float> weights) {
    Matrix x = scattered(s.rows, s.cols, s.groups, s.rows, s.noise);
    std::ranges::fill(x[3], 0.0f);
    for (Index i = 10; i < 20; ++i) std::ranges::copy(x[i - 10], x[i].begin());  // equal rows
    const Rows source(x);
    const MetricRows rows(source, metric, {});
    const Matrix start = seed_centers(rows, s.clusters, {1}, {}, KMeansInit::kmeans_plus_plus, weights);
    for (Index max_iter : {1u, 2u, 3u, 40u}) {
      LloydOptions options{.max_iter = max_iter, .tol = 0, .bounds = false, .weights = weights};
      const LloydResult plain = lloyd(rows, start, options, {.threads = 2});
      EXPECT_EQ(plain.labels.of, all_products(rows, plain.centers)) << "labels of other centers";
      options.bounds = true;
      for (Index width : {1u, 2u, 7u}) {
        options.bound_bytes = sizeof(Angle) * s.rows * s.clusters / width + 1;
        ASSERT_EQ(AngleBounds(s.rows, s.clusters, options.bound_bytes).width(), width);
        const LloydResult fast = lloyd(rows, start, options, {.threads = 2});
        EXPECT_EQ(fast.labels, plain.labels) << width;
        EXPECT_EQ(fast.objective, plain.objective) << width;
        EXPECT_EQ(fast.n_iter, plain.n_iter) << width;
        EXPECT_TRUE(fast.centers == plain.centers) << width;
      }
    }
  }
};

TEST_P(LloydBounds, ChangeNoBit) {
  const Shape& s = GetParam();
  std::vector<float> weights(s.rows);
  for (Index i = 0; i < s.rows; ++i) weights[i] = static_cast<float>(i % 7) * 0.3f;
  for (const Metric metric : {Metric::cosine, Metric::euclidean}) {
    SCOPED_TRACE(name_of(metric));
    change_no_bit(s, metric, {});
    if (metric == Metric::euclidean && s.cols <= 8) change_no_bit(s, metric, weights);
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, LloydBounds,
                         testing::Values(Shape{3000, 32, 40, 40, 1.5f}, Shape{3000, 8, 5, 100, 1.0f},
                                         Shape{2500, 384, 30, 60, 2.0f}, Shape{700, 3, 4, 33, 3.0f},
                                         Shape{500, 2, 3, 2, 0.2f}, Shape{300, 1, 2, 2, 1.0f},
                                         Shape{2000, 64, 7, 300, 1.0f}, Shape{40, 16, 5, 29, 1.0f}));

// Rows that lie almost between two centroids, which are almost each other's mirror image.
TEST(Lloyd, MirroredCentroidsChangeNoBit) {
  Matrix x(1200, 24);
  const Random random({8});
  for (Index i = 0; i < 1200; ++i)
    for (Index j = 0; j < 12; ++j) {  // symmetric under the swap of the halves, nearly
      x[i][j] = static_cast<float>(random.normal(i * 12 + j));
      x[i][j + 12] = x[i][j] + 1e-7f * static_cast<float>(random.normal(100000 + i * 12 + j));
    }
  unit_rows(x.span());
  Matrix start(4, 24);
  for (Index j = 0; j < 12; ++j)
    start[0][j] = start[1][j + 12] = static_cast<float>(random.normal(200000 + j));
  for (Index j = 0; j < 12; ++j)
    start[2][j] = start[3][j + 12] = static_cast<float>(random.normal(300000 + j));
  unit_rows(start.span());
  const Rows source(x);
  const MetricRows rows(source, Metric::cosine, {}), plane(source, Metric::euclidean, {});
  for (const MetricRows* with : {&rows, &plane})
    for (Index max_iter : {2u, 3u, 10u, 30u}) {
      const LloydResult plain = lloyd(*with, start, {.max_iter = max_iter, .tol = 0, .bounds = false}, {});
      const LloydResult fast = lloyd(*with, start, {.max_iter = max_iter, .tol = 0}, {});
      EXPECT_EQ(fast.labels, plain.labels);
      EXPECT_TRUE(fast.centers == plain.centers);
      EXPECT_EQ(fast.labels.of, all_products(*with, fast.centers));
    }
}

TEST(Lloyd, TheObjectiveNeverFalls) {
  const Matrix x = scattered(1000, 16, 12, 6, 1.5f);
  const Rows source(x);
  const MetricRows rows(source, Metric::cosine, {});
  const Matrix start = seed_centers(rows, 12, {2}, {});
  double before = 0;
  for (Index rounds = 1; rounds < 15; ++rounds) {
    const double now = lloyd(rows, start, {.max_iter = rounds, .tol = 0}, {}).objective;
    EXPECT_GE(now, before - 1e-4);
    before = now;
  }
}

// ---- k-means++

TEST(SeedCenters, AreDistinctRows) {
  Matrix x = scattered(300, 4, 3, 1, 1.5f);
  for (Index i = 0; i < 300; ++i) std::ranges::copy(x[i % 50], x[i].begin());  // 50 distinct
  const Rows source(x);
  const MetricRows rows(source, Metric::cosine, {});
  const Matrix seeds = seed_centers(rows, 50, {3}, {});
  for (Index a = 0; a < 50; ++a)
    for (Index b = 0; b < a; ++b) EXPECT_FALSE(std::ranges::equal(seeds[a], seeds[b])) << a << " " << b;
  EXPECT_THROW(seed_centers(rows, 51, {3}, {}), Error);
}

TEST(SeedCenters, InParallelAreDistinctRowsToo) {
  Matrix x = scattered(3000, 4, 3, 1, 1.5f);
  for (Index i = 0; i < 3000; ++i) std::ranges::copy(x[i % 50], x[i].begin());  // 50 distinct
  const Rows source(x);
  for (const Metric metric : {Metric::cosine, Metric::euclidean}) {
    const MetricRows rows(source, metric, {});
    const auto seeds_of = [&](Index k, const shoal::Run& run) {
      return seed_centers(rows, k, {3}, run, KMeansInit::kmeans_parallel);
    };
    const Matrix seeds = seeds_of(50, {.threads = 1});
    for (Index a = 0; a < 50; ++a)
      for (Index b = 0; b < a; ++b) EXPECT_FALSE(std::ranges::equal(seeds[a], seeds[b])) << a << " " << b;
    EXPECT_TRUE(seeds == seeds_of(50, {.threads = 3}));
    const std::string what = error_of([&] { seeds_of(51, {}); }).what();
    EXPECT_NE(what.find("only 50 distinct"), std::string::npos) << what;
  }
}

TEST(SeedCenters, AreTheBestOfCandidatesDrawnByTheSquaredDistance) {
  // After the row at 0 degrees (given most weight by its 996 copies), two candidates are drawn from those at
  // 60, 90 and 180 degrees with probability 1 : 2 : 4 by D^2. The one at 90 leaves the smallest potential
  // (2.27), then that at 180 (3), then that at 60 (3.27).
  Matrix x(1000, 2);
  for (Index i = 0; i < 997; ++i) x[i][0] = 1;
  x[997][0] = 0.5f, x[997][1] = std::sqrt(0.75f);
  x[998][1] = 1;
  x[999][0] = -1;
  const Rows source(x);
  const MetricRows rows(source, Metric::cosine, {});
  constexpr int kTrials = 2000;
  int at[3] = {}, counted = 0;
  for (int t = 0; t < kTrials; ++t) {
    const Matrix seeds = seed_centers(rows, 2, Seed{77}.child(t), {});
    if (seeds[0][0] != 1) continue;
    ++counted;
    ++at[seeds[1][0] == -1 ? 2 : seeds[1][1] == 1 ? 1 : 0];
  }
  ASSERT_GT(counted, kTrials * 9 / 10);
  const double wanted[] = {1 / 49.0, 24 / 49.0, 24 / 49.0};
  for (int i = 0; i < 3; ++i) EXPECT_NEAR(at[i] / double(counted), wanted[i], 0.05);  // 4.5 standard errors
}

/// Sum of D^2 of unit rows to the nearest seed.
double potential(const Matrix& x, const Matrix& seeds) {
  double sum = 0;
  for (Index i = 0; i < x.rows(); ++i) {
    float nearest = 4;
    for (Index c = 0; c < seeds.rows(); ++c)
      nearest = std::min(nearest, kernels().squared_distance(x[i].data(), seeds[c].data(), x.cols()));
    sum += nearest;
  }
  return sum;
}

/// Plain k-means++: each seed is drawn by D^2 and taken.
Matrix plain_plus_plus(const Matrix& x, Index n_clusters, Seed seed) {
  const Random random(seed);
  std::vector<float> distance(x.rows(), 4);
  Matrix seeds(n_clusters, x.cols());
  for (Index c = 0; c < n_clusters; ++c) {
    double left = random.uniform(c) * std::accumulate(distance.begin(), distance.end(), 0.0);
    Index row = 0;
    while (row + 1 < x.rows() && (left -= distance[row]) >= 0) ++row;
    std::ranges::copy(x[row], seeds[c].begin());
    for (Index i = 0; i < x.rows(); ++i)
      distance[i] = std::min(distance[i], kernels().squared_distance(x[i].data(), x[row].data(), x.cols()));
  }
  return seeds;
}

// More rows than candidates are compared on, and fewer.
TEST(SeedCenters, LeaveLessThanPlainOnes) {
  for (const Index n : {700u, 12000u}) {
    Matrix x = scattered(n, 24, 30, 6, 0.8f);
    unit_rows(x.span());
    const Rows source(x);
    const MetricRows rows(source, Metric::cosine, {});
    double greedy = 0, plain = 0;
    for (std::uint64_t t = 0; t < 6; ++t) {
      const Matrix seeds = seed_centers(rows, 30, {t}, {.threads = 1});
      EXPECT_TRUE(seeds == seed_centers(rows, 30, {t}, {.threads = 3}));
      greedy += potential(x, seeds);
      plain += potential(x, plain_plus_plus(x, 30, {t}));
    }
    EXPECT_LT(greedy, 0.97 * plain) << n;
  }
}

TEST(SphericalKMeans, DefaultsGoOnWhileSlowGainsDo) {
  const Matrix x = scattered(3000, 16, 40, 3, 2.0f);
  const auto end = SphericalKMeans::fit(x, {.n_clusters = 12, .tol = 0, .n_init = 1});
  const auto usual = SphericalKMeans::fit(x, {.n_clusters = 12, .n_init = 1});
  EXPECT_GE(usual.objective(), (1 - 1e-4) * end.objective());
  EXPECT_GT(usual.n_iter(), SphericalKMeans::fit(x, {.n_clusters = 12, .tol = 1e-4, .n_init = 1}).n_iter());
}

TEST(SeedCenters, SpreadBetterThanChance) {
  const Matrix x = scattered(2000, 16, 25, 12, 0.3f);
  const Rows source(x);
  const MetricRows rows(source, Metric::cosine, {});
  double plus = 0, parallel = 0, chance = 0;
  for (std::uint64_t t = 0; t < 5; ++t) {
    const Random random({t});
    Matrix drawn(25, 16);
    for (Index c = 0; c < 25; ++c) std::ranges::copy(x[random.below(c, 2000)], drawn[c].begin());
    unit_rows(drawn.span());
    plus += lloyd(rows, seed_centers(rows, 25, {t}, {}), {.max_iter = 1}, {}).objective;
    const Matrix many = seed_centers(rows, 25, {t}, {}, KMeansInit::kmeans_parallel);
    parallel += lloyd(rows, many, {.max_iter = 1}, {}).objective;
    chance += lloyd(rows, drawn, {.max_iter = 1}, {}).objective;
  }
  EXPECT_GT(plus, chance);
  EXPECT_GT(parallel, chance);
}

TEST(DefaultClusters, GrowsWithTheSquareRoot) {
  EXPECT_EQ(default_clusters(0), 1u);
  EXPECT_EQ(default_clusters(3), 1u);
  EXPECT_EQ(default_clusters(4), 2u);
  EXPECT_EQ(default_clusters(600), 10u);
  EXPECT_EQ(default_clusters(63000), 102u);
  EXPECT_EQ(default_clusters(100000000), 500u);
}

}  // namespace
}  // namespace shoal
