#include "shoal/cluster/kmeans/kmeans.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <limits>

#include "shoal/core/error.h"
#include "shoal/core/random.h"
#include "shoal/kernels/kernels.h"
#include "shoal/store/archive/archive.h"
#include "tests/error_of.h"
#include "tests/matrices.h"

namespace shoal {
namespace {

/// `x` times `factor` plus `shift`.
Matrix moved(Matrix x, float factor, float shift) {
  for (Index i = 0; i < x.rows() * x.cols(); ++i) x.data()[i] = x.data()[i] * factor + shift;
  return x;
}

TEST(KMeans, FindsTwoHeaps) {
  const Matrix x = from({{0, 0}, {10, 10}, {1, 0}, {11, 10}, {0, 1}});
  const KMeans groups = KMeans::fit(x, {.n_clusters = 2});
  const auto& of = groups.labels().of;
  EXPECT_EQ(of[0], of[2]);
  EXPECT_EQ(of[0], of[4]);
  EXPECT_EQ(of[1], of[3]);
  EXPECT_NE(of[0], of[1]);
  EXPECT_EQ(groups.predict(from({{3, 3}, {8, 7}})).of, (std::vector<Label>{of[0], of[1]}));
}

TEST(KMeans, AnswerMadeByHand) {
  // On a line: 0 and 2 stay with the centroid at 0, which moves to 1; 8, 9 and 10 pull the other to 9.
  const Matrix x = from({{0}, {2}, {8}, {9}, {10}});
  const auto groups = KMeans::fit_from(x, from({{0}, {10}}), {.n_clusters = 2, .tol = 0});
  EXPECT_EQ(groups.labels().of, (std::vector<Label>{0, 0, 1, 1, 1}));
  EXPECT_EQ(groups.cluster_centers()[0][0], 1);
  EXPECT_EQ(groups.cluster_centers()[1][0], 9);
  EXPECT_NEAR(groups.inertia(), 4, 1e-5);
  EXPECT_EQ(groups.n_iter(), 1u);
  const Matrix distances = groups.transform(from({{5.5f}}));
  EXPECT_NEAR(distances[0][0], 4.5, 1e-6);
  const std::vector<float> weights{1, 3, 1, 0, 3};
  const auto weighted = KMeans::fit_from(x, from({{0}, {10}}), {.n_clusters = 2, .tol = 0}, {}, weights);
  EXPECT_EQ(weighted.cluster_centers()[0][0], 1.5f);
  EXPECT_EQ(weighted.cluster_centers()[1][0], 9.5f);
  EXPECT_EQ(weighted.labels().of[3], 1);
  EXPECT_NEAR(weighted.inertia(), 2.25 + 3 * 0.25 + 2.25 + 3 * 0.25, 1e-5);
}

// Where rows lie, and in which units, must not matter: products of float32 alone would lose all digits.
TEST(KMeans, FarAwayAndInAnyUnits) {
  const Matrix x = scattered(500, 6, 5, 1, 0.2f);
  Matrix start(5, 6);
  std::copy_n(x.data(), 30, start.data());
  const KMeansOptions options{.n_clusters = 5, .tol = 0};
  const auto plain = KMeans::fit_from(x, start, options);
  EXPECT_LT(plain.inertia(), 500 * 6 * 0.045);
  for (const float factor : {0x1p-90f, 0x1p-40f, 1.0f, 0x1p60f, 0x1p110f}) {
    const auto other = KMeans::fit_from(moved(x, factor, 0), moved(start, factor, 0), options);
    EXPECT_EQ(other.labels(), plain.labels()) << factor;
    const double share = other.inertia() / factor / factor / plain.inertia();
    EXPECT_NEAR(share, 1, 1e-6) << factor;
    EXPECT_NEAR(other.cluster_centers()[2][3] / factor, plain.cluster_centers()[2][3], 1e-6);
    const Matrix there = other.transform(moved(x, factor, 0)), here = plain.transform(x);
    EXPECT_NEAR(there[7][2] / factor, here[7][2], 1e-5);
  }
  const auto far = KMeans::fit_from(moved(x, 1, 20000), moved(start, 1, 20000), options);
  EXPECT_EQ(far.labels(), plain.labels());
  EXPECT_NEAR(far.inertia(), plain.inertia(), plain.inertia() * 1e-3);  // the rows themselves round
  EXPECT_EQ(far.predict(moved(x, 1, 20000)), far.labels());
}

TEST(KMeans, AnOutlierCostsNoDigits) {
  Matrix x = scattered(400, 5, 4, 2, 0.1f);
  const auto plain = KMeans::fit(x, {.n_clusters = 4, .tol = 0, .n_init = 5});
  Matrix with(401, 5);
  std::copy_n(x.data(), 2000, with.data());
  std::ranges::fill(with[400], 1e12f);
  const auto groups = KMeans::fit(with, {.n_clusters = 5, .tol = 0, .n_init = 5});
  EXPECT_NEAR(groups.inertia(), plain.inertia(), plain.inertia() * 0.01);
  EXPECT_EQ(groups.predict(with), groups.labels());
}

// The definition of a label, one squared distance after another.
TEST(KMeans, ALabelIsTheSmallestDistance) {
  const Matrix x = scattered(700, 30, 6, 3, 2.0f);
  const auto groups = KMeans::fit(x, {.n_clusters = 40, .max_iter = 5});
  const Matrix& c = groups.cluster_centers();
  const Matrix distance = groups.transform(x);
  double inertia = 0;
  for (Index i = 0; i < 700; ++i) {
    const auto best = std::ranges::min_element(distance[i]) - distance[i].begin();
    EXPECT_EQ(groups.labels().of[i], static_cast<Label>(best));
    for (Index j = 0; j < 30; ++j) inertia += std::pow(double{x[i][j]} - c[best][j], 2);
  }
  EXPECT_NEAR(groups.inertia(), inertia, inertia * 1e-6);
}

TEST(KMeans, AsScikitLearn) {
  const ArchiveReader golden(SHOAL_SOURCE "/tests/golden/kmeans.safetensors");
  const Matrix x = golden.matrix("x"), start = golden.matrix("start");
  const auto labels = golden.integers("labels"), weighted_labels = golden.integers("weighted_labels");
  const std::vector<float> weights = golden.floats("weights", x.rows());
  const KMeansOptions options{.n_clusters = start.rows(), .max_iter = 300, .tol = 0};
  const auto check = [&](const KMeans& groups, const std::vector<std::int64_t>& expected, const char* centers,
                         const char* inertia) {
    EXPECT_TRUE(std::ranges::equal(groups.labels().of, expected));
    const double expect = golden.floats(inertia, 1)[0];
    EXPECT_NEAR(groups.inertia(), expect, expect * 1e-6);
    const Matrix c = golden.matrix(centers);
    for (Index i = 0; i < c.rows() * c.cols(); ++i)
      EXPECT_NEAR(groups.cluster_centers().data()[i], c.data()[i], 2e-5);
  };
  check(KMeans::fit_from(x, start, options), labels, "centers", "inertia");
  check(KMeans::fit_from(x, start, options, {}, weights), weighted_labels, "weighted_centers",
        "weighted_inertia");
}

TEST(KMeans, RefusesBadInputByName) {
  const Matrix x = scattered(12, 3, 2, 1);
  const auto says = [&](const std::function<void()>& f, Fault fault, const std::string& text) {
    const Error e = error_of(f);
    EXPECT_EQ(e.fault, fault);
    EXPECT_NE(std::string(e.what()).find(text), std::string::npos) << e.what();
  };
  says([&] { KMeans::fit(x, {.n_clusters = 0}); }, Fault::argument, "n_clusters is 0");
  says([&] { KMeans::fit(x, {.tol = -1}); }, Fault::argument, "tol is -1");
  says([&] { KMeans::fit(x, {.n_clusters = 40}); }, Fault::data, "n_clusters is 40, but only 12 rows");
  std::vector<float> weights(12, 1);
  const auto weighted = [&] { KMeans::fit(x, {.n_clusters = 2}, {}, weights); };
  weights[5] = -2;
  says(weighted, Fault::argument, "weight of row 5 is -2");
  weights[5] = std::nanf("");
  says(weighted, Fault::argument, "weight of row 5");
  std::ranges::fill(weights, 0);
  says(weighted, Fault::argument, "all weights are 0");
  weights[3] = 1;
  says(weighted, Fault::data, "only 1 distinct rows of positive weight");
  weights.pop_back();
  says(weighted, Fault::argument, "11 weights for 12 rows");
  says([&] { KMeans::fit_from(x, Matrix(2, 4), {.n_clusters = 2}); }, Fault::argument, "2 x 4");
  Matrix bad(2, 3);
  bad[1][1] = std::nanf("");
  says([&] { KMeans::fit_from(x, bad, {.n_clusters = 2}); }, Fault::argument, "row 1 of the start");
  Matrix far(2, 3);
  far[1][0] = 1e30f;
  says([&] { KMeans::fit(x, {.n_clusters = 2}).predict(far); }, Fault::data, "row 1 lies so far");
}

TEST(KMeans, CountsDistinctRows) {
  Matrix x(20, 4);
  for (Index i = 0; i < 20; ++i) x[i][0] = 1000 + static_cast<float>(i % 3);
  for (const KMeansInit init : {KMeansInit::kmeans_plus_plus, KMeansInit::kmeans_parallel}) {
    const Error e = error_of([&] { KMeans::fit(x, {.n_clusters = 4, .init = init}); });
    EXPECT_STREQ(e.what(), "n_clusters is 4, but only 3 distinct rows were given; allowed: 1..3");
    EXPECT_EQ(KMeans::fit(x, {.n_clusters = 3, .init = init}).inertia(), 0);
  }
}

TEST(KMeans, AnEmptyClusterTakesTheFurthestRow) {
  const Matrix x = from({{0, 0}, {0, 1}, {1, 0}, {5, 5}});
  const auto groups = KMeans::fit_from(x, from({{0, 0}, {-90, 0}}), {.n_clusters = 2, .tol = 0});
  EXPECT_EQ(groups.labels().of, (std::vector<Label>{0, 0, 0, 1}));
  // A row of weight 0 fills none.
  const std::vector<float> weights{1, 1, 1, 0};
  const auto weighted =
      KMeans::fit_from(x, from({{0, 0}, {-90, 0}}), {.n_clusters = 2, .tol = 0}, {}, weights);
  EXPECT_EQ(weighted.cluster_centers()[1][0] + weighted.cluster_centers()[1][1], 1);
}

TEST(KMeans, EqualRowsCannotFillTwoClusters) {
  const Matrix x = from({{0.1f, 0.7f}, {0.1f, 0.7f}, {0.1f, 0.7f}});
  const auto groups =
      KMeans::fit_from(x, from({{1, 1}, {1, 1}}), {.n_clusters = 2, .max_iter = 50, .tol = 0});
  EXPECT_EQ(groups.labels().of, (std::vector<Label>{0, 0, 0}));  // ties by the smaller id
  EXPECT_LT(groups.n_iter(), 3u);
}

TEST(KMeans, WeightsOfAnySizeGiveTheSameBitsForAnyThreads) {
  const Matrix x = scattered(6000, 4, 5, 6);
  std::vector<float> weights(6000);
  const auto fit = [&](float factor, unsigned threads) {
    for (Index i = 0; i < 6000; ++i) weights[i] = factor * static_cast<float>(1 + i % 5);
    return KMeans::fit(x, {.n_clusters = 5}, {.threads = threads, .stop = {}, .progress = {}}, weights);
  };
  const auto one = fit(0.3f, 1), three = fit(0.3f, 3), tiny = fit(0.3f * 0x1p-100f, 2);
  EXPECT_TRUE(three.cluster_centers() == one.cluster_centers());
  EXPECT_EQ(three.inertia(), one.inertia());
  EXPECT_TRUE(tiny.cluster_centers() == one.cluster_centers());
  EXPECT_EQ(tiny.labels(), one.labels());
}

TEST(KMeans, LoadKeepsTheOptions) {
  const auto path = std::filesystem::temp_directory_path() / ("shoal_kmeans_" + std::to_string(getpid()));
  const Matrix x = scattered(60, 3, 2, 1);
  const KMeansOptions options{.n_clusters = 2,
                              .max_iter = 7,
                              .tol = 0.5,
                              .n_init = 3,
                              .init = KMeansInit::kmeans_parallel,
                              .seed = {5}};
  ArchiveWriter out(KMeans::kind);
  KMeans::fit(x, options).save(out);
  out.write(path);
  const KMeansOptions loaded = KMeans::load(ArchiveReader(path)).options();
  std::filesystem::remove(path);
  EXPECT_EQ(loaded.max_iter, 7u);
  EXPECT_EQ(loaded.tol, 0.5);
  EXPECT_EQ(loaded.n_init, 3u);
  EXPECT_EQ(loaded.init, KMeansInit::kmeans_parallel);
  EXPECT_EQ(loaded.seed, Seed{5});
}

TEST(KMeans, MoreStartsAreNeverWorse) {
  const Matrix x = scattered(400, 8, 12, 9);
  for (const KMeansInit init : {KMeansInit::kmeans_plus_plus, KMeansInit::kmeans_parallel}) {
    double before = std::numeric_limits<double>::infinity();
    for (Index n_init : {1u, 3u, 9u}) {
      const double now = KMeans::fit(x, {.n_clusters = 12, .n_init = n_init, .init = init}).inertia();
      EXPECT_LE(now, before);
      before = now;
    }
  }
}

}  // namespace
}  // namespace shoal
