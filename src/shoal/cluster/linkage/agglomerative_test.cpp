#include "shoal/cluster/linkage/agglomerative.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <string>
#include <tuple>

#include "shoal/core/error.h"
#include "shoal/core/random.h"
#include "shoal/store/archive/archive.h"
#include "tests/error_of.h"
#include "tests/matrices.h"

namespace shoal {
namespace {

/// Rows of a small grid: many equal rows, many equal distances. None is zero.
Matrix on_grid(Index rows, Index cols, Index values, std::uint64_t seed) {
  const Random random({seed});
  Matrix m(rows, cols);
  for (Index i = 0; i < rows; ++i) {
    for (Index j = 0; j < cols; ++j) m[i][j] = static_cast<float>(random.below(i * cols + j, values));
    if (std::ranges::all_of(m[i], [](float v) { return v == 0; })) m[i][0] = 1;
  }
  return m;
}

Dendrogram tree_of(const Matrix& x, Linkage linkage, Metric metric, const Run& run = {}) {
  return Agglomerative::fit(x, {.n_clusters = 1, .linkage = linkage, .metric = metric}, run).dendrogram();
}

void expect_heights(const Dendrogram& tree, const std::vector<double>& heights) {
  ASSERT_EQ(tree.merges.size(), heights.size());
  for (Index i = 0; i < heights.size(); ++i) EXPECT_NEAR(tree.merges[i].height, heights[i], 1e-9) << i;
}

struct Way {
  Linkage linkage;
  Metric metric;
};
const std::vector<Way> kWays{{Linkage::average, Metric::cosine},  {Linkage::average, Metric::euclidean},
                             {Linkage::ward, Metric::euclidean},  {Linkage::centroid, Metric::euclidean},
                             {Linkage::single, Metric::cosine},   {Linkage::single, Metric::euclidean},
                             {Linkage::complete, Metric::cosine}, {Linkage::complete, Metric::euclidean}};

std::string named(const Way& w) { return std::string(name_of(w.linkage)) + " " + name_of(w.metric); }

/// The definition, in double: all distances, the least (ties by the lowest rows) joins, and Lance and
/// Williams's rules give those to the joined cluster. O(n^3).
class Naive {
 public:
  Naive(const Matrix& x, const Way& way) : n_(x.rows()), way_(way), d_(n_ * n_), size_(n_, 1), id_(n_) {
    for (Index i = 0; i < n_; ++i) {
      id_[i] = static_cast<std::uint32_t>(i);
      for (Index j = 0; j < n_; ++j) d_[i * n_ + j] = distance(x[i], x[j]);
    }
  }

  Dendrogram tree() {
    Dendrogram tree{n_, {}};
    while (tree.merges.size() + 1 < n_) {
      const auto [a, b] = nearest();
      const double height = at(a, b);
      for (Index k = 0; k < n_; ++k)
        if (size_[k] > 0 && k != a && k != b)
          at(a, k) = at(k, a) = joined(at(a, k), at(b, k), height, a, b, k);
      size_[a] += size_[b];
      size_[b] = 0;
      tree.merges.push_back(
          {std::min(id_[a], id_[b]), std::max(id_[a], id_[b]), height, static_cast<std::uint32_t>(size_[a])});
      id_[a] = static_cast<std::uint32_t>(n_ + tree.merges.size() - 1);
    }
    return tree;
  }

 private:
  double& at(Index i, Index j) { return d_[i * n_ + j]; }

  double distance(std::span<const float> a, std::span<const float> b) const {
    double ab = 0, aa = 0, bb = 0, square = 0;
    for (Index j = 0; j < a.size(); ++j) {
      ab += static_cast<double>(a[j]) * b[j];
      aa += static_cast<double>(a[j]) * a[j];
      bb += static_cast<double>(b[j]) * b[j];
      square += (static_cast<double>(a[j]) - b[j]) * (static_cast<double>(a[j]) - b[j]);
    }
    if (way_.metric == Metric::euclidean) return std::sqrt(square);
    if (aa == 0 && bb == 0) return 0;
    return aa > 0 && bb > 0 ? std::max(0.0, 1 - ab / std::sqrt(aa * bb)) : 1;
  }

  std::pair<Index, Index> nearest() {
    std::tuple best(std::numeric_limits<double>::infinity(), Index{0}, Index{0});
    for (Index i = 0; i < n_; ++i)
      for (Index j = i + 1; j < n_ && size_[i] > 0; ++j)
        if (size_[j] > 0)
          best = std::min(best, {std::nearbyint(at(i, j) * 0x1p40), i, j});  // equal but for rounding
    return {std::get<1>(best), std::get<2>(best)};
  }

  double joined(double ak, double bk, double ab, Index a, Index b, Index k) const {
    const auto na = static_cast<double>(size_[a]), nb = static_cast<double>(size_[b]);
    const auto nk = static_cast<double>(size_[k]), both = na + nb;
    switch (way_.linkage) {
      case Linkage::average:
        return (na * ak + nb * bk) / both;
      case Linkage::single:
        return std::min(ak, bk);
      case Linkage::complete:
        return std::max(ak, bk);
      case Linkage::ward:
        return std::sqrt(((na + nk) * ak * ak + (nb + nk) * bk * bk - nk * ab * ab) / (both + nk));
      case Linkage::centroid:
        break;
    }
    return std::sqrt(std::max(0.0, (na * ak * ak + nb * bk * bk) / both - na * nb * ab * ab / (both * both)));
  }

  Index n_;
  Way way_;
  std::vector<double> d_;
  std::vector<Index> size_;  // 0: joined
  std::vector<std::uint32_t> id_;
};

void expect_naive(const Matrix& x, const Way& way, const std::string& what) {
  const Dendrogram got = tree_of(x, way.linkage, way.metric), expect = Naive(x, way).tree();
  EXPECT_NO_THROW(got.check());
  ASSERT_EQ(got.merges.size(), expect.merges.size());
  for (Index i = 0; i < got.merges.size(); ++i)
    ASSERT_NEAR(got.merges[i].height, expect.merges[i].height, 1e-6)
        << named(way) << ", " << what << ", merge " << i;
  for (Index k = 1; k <= x.rows(); ++k) {
    if (k > 1 && k < x.rows()) {  // a cut between equal heights may be made in several ways
      const Index last = x.rows() - k;
      if (expect.merges[last].height - expect.merges[last - 1].height < 1e-6) continue;
    }
    ASSERT_EQ(got.cut(k).of, expect.cut(k).of) << named(way) << ", " << what << ", " << k << " clusters";
  }
}

TEST(Agglomerative, FindsTwoDirections) {
  const Matrix x = from({{1, 0.1f}, {0.1f, 3}, {2, 0}, {0, 1}, {5, 0.5f}});
  const auto groups = Agglomerative::fit(x, {.n_clusters = 2});
  EXPECT_EQ(groups.labels().of, (std::vector<Label>{0, 1, 0, 1, 0}));
  EXPECT_EQ(groups.n_clusters(), 2u);
  EXPECT_EQ(groups.cut(3).of, (std::vector<Label>{0, 1, 2, 1, 0}));
  EXPECT_EQ(groups.dendrogram().merges.size(), 4u);
}

TEST(Agglomerative, HeightsMadeByHand) {
  const Matrix x = from({{0}, {1}, {3}, {7}});
  expect_heights(tree_of(x, Linkage::single, Metric::euclidean), {1, 2, 4});
  expect_heights(tree_of(x, Linkage::complete, Metric::euclidean), {1, 3, 7});
  expect_heights(tree_of(x, Linkage::average, Metric::euclidean), {1, 2.5, 17.0 / 3});
  expect_heights(tree_of(x, Linkage::centroid, Metric::euclidean), {1, 2.5, 7 - 4.0 / 3});
  expect_heights(tree_of(x, Linkage::ward, Metric::euclidean),
                 {1, std::sqrt(4.0 / 3) * 2.5, std::sqrt(6.0 / 4) * (7 - 4.0 / 3)});
  EXPECT_EQ(tree_of(x, Linkage::single, Metric::euclidean).merges,
            (std::vector<Merge>{{0, 1, 1, 2}, {2, 4, 2, 3}, {3, 5, 4, 4}}));
  // Directions at 0, 60 and 180 degrees: the mean of 60 to 180 and 0 to 180.
  const float s = std::sqrt(3.0f) / 2;
  const Matrix angles = from({{2, 0}, {0.5f, s}, {-1, 0}});
  const auto near = [&](Linkage l, double last) {
    const Dendrogram tree = tree_of(angles, l, Metric::cosine);
    EXPECT_NEAR(tree.merges[0].height, 0.5, 1e-7);
    EXPECT_NEAR(tree.merges[1].height, last, 1e-7);
  };
  near(Linkage::average, 1.75);
  near(Linkage::single, 1.5);
  near(Linkage::complete, 2);
}

TEST(Agglomerative, CentroidsMayInvert) {
  const Dendrogram tree = tree_of(from({{0, 0}, {2, 0}, {1, 1.75f}}), Linkage::centroid, Metric::euclidean);
  expect_heights(tree, {2, 1.75});
}

TEST(Agglomerative, EqualsTheDefinition) {
  for (const Way& way : kWays) {
    for (const std::uint64_t seed : {1u, 2u, 3u}) {
      expect_naive(scattered(120, 6, 5, seed, 0.8f), way, "scattered");
      expect_naive(scattered(33, 90, 4, seed, 0.8f), way, "many columns");
    }
    expect_naive(scattered(400, 5, 6, 4, 0.8f), way, "several blocks of rows");
  }
}

TEST(Agglomerative, EqualsTheDefinitionWhereManyDistancesAreEqual) {
  for (const Way& way : kWays)
    for (const std::uint64_t seed : {1u, 2u, 3u, 4u, 5u}) {
      expect_naive(on_grid(60, 2, 4, seed), way, "grid of two columns");
      expect_naive(on_grid(60, 5, 2, seed), way, "corners of a cube");
    }
}

TEST(Agglomerative, EqualsTheDefinitionWhereFloatsCannotTell) {
  const Random random({5});
  Matrix x(80, 3);  // differences of cosines are far below float32's rounding
  for (Index i = 0; i < 80; ++i)
    for (Index j = 0; j < 3; ++j) x[i][j] = static_cast<float>(1 + 1e-4 * random.normal(i * 3 + j));
  const Way way{Linkage::average, Metric::cosine};
  const Dendrogram got = tree_of(x, way.linkage, way.metric), expect = Naive(x, way).tree();
  for (Index i = 0; i < 79; ++i) EXPECT_NEAR(got.merges[i].height, expect.merges[i].height, 2e-10);
  for (const Way& w : kWays) {
    Matrix far = scattered(90, 3, 4, 9, 0.8f);  // far from the origin
    for (Index i = 0; i < 270; ++i) far.data()[i] += 1000;
    if (w.metric == Metric::euclidean) expect_naive(far, w, "far from the origin");
  }
}

TEST(Agglomerative, EqualsScipy) {
  const ArchiveReader golden(SHOAL_SOURCE "/tests/golden/linkage.safetensors");
  const Matrix x = golden.matrix("x");
  for (const Way& way : kWays) {
    const std::string key = std::string(name_of(way.linkage)) + "_" + name_of(way.metric);
    const Dendrogram tree = tree_of(x, way.linkage, way.metric);
    const Tensor& z = golden.tensor(key);
    ASSERT_EQ(z.count(), 4 * tree.merges.size());
    for (Index i = 0; i < tree.merges.size(); ++i) {
      double row[4];
      std::memcpy(row, z.bytes.data() + i * sizeof row, sizeof row);
      const Merge& m = tree.merges[i];
      EXPECT_EQ(m.first, row[0]) << key << " " << i;
      EXPECT_EQ(m.second, row[1]) << key << " " << i;
      EXPECT_NEAR(m.height, row[2], way.linkage == Linkage::complete ? 1e-6 : 1e-10) << key << " " << i;
      EXPECT_EQ(m.size, row[3]) << key << " " << i;
    }
  }
}

TEST(Agglomerative, EqualRowsJoinFirstAtZero) {
  Matrix x = scattered(500, 8, 3, 4, 0.8f);
  for (Index i = 100; i < 500; ++i) std::ranges::copy(x[i % 7], x[i].begin());
  for (const Way& way : kWays) {
    const Dendrogram tree = tree_of(x, way.linkage, way.metric);
    EXPECT_NO_THROW(tree.check());
    EXPECT_EQ(tree.clusters_at(0), 100u) << named(way);
    EXPECT_EQ(tree.cut(100).of[499], static_cast<Label>(499 % 7)) << named(way);
  }
  const Error e = error_of([&] { Agglomerative::fit(x, {.n_clusters = 101}); });
  EXPECT_EQ(e.fault, Fault::data);
  EXPECT_STREQ(e.what(), "n_clusters is 101, but only 100 distinct rows were given; allowed: 1..100");
}

TEST(Agglomerative, RowsOfZerosAreEqualAndAtDistanceOneFromOthers) {
  const Matrix x = from({{1, 0}, {0, 0}, {2, 0.1f}, {0, 0}, {-1, 0}});
  for (const Linkage l : {Linkage::average, Linkage::single, Linkage::complete})
    expect_naive(x, {l, Metric::cosine}, "zeros");
  EXPECT_EQ(Agglomerative::fit(x, {.n_clusters = 3}).labels().of, (std::vector<Label>{0, 1, 0, 1, 2}));
  EXPECT_EQ(Agglomerative::fit(x, {.n_clusters = 3}).place(x).of[1], kNoise);
  EXPECT_EQ(tree_of(Matrix(40, 3), Linkage::average, Metric::cosine).clusters_at(0), 1u);
  EXPECT_EQ(tree_of(Matrix(40, 3), Linkage::ward, Metric::euclidean).clusters_at(0), 1u);
}

TEST(Agglomerative, StopsAtAThreshold) {
  const Matrix x = from({{0}, {1}, {3}, {7}});
  const auto at = [&](double threshold) {
    return Agglomerative::fit(x, {.n_clusters = {},
                                  .distance_threshold = threshold,
                                  .linkage = Linkage::single,
                                  .metric = Metric::euclidean})
        .labels()
        .of;
  };
  EXPECT_EQ(at(0.5), (std::vector<Label>{0, 1, 2, 3}));
  EXPECT_EQ(at(1), (std::vector<Label>{0, 0, 1, 2}));
  EXPECT_EQ(at(3.9), (std::vector<Label>{0, 0, 0, 1}));
  EXPECT_EQ(at(100), (std::vector<Label>{0, 0, 0, 0}));
}

TEST(Agglomerative, OneRow) {
  for (const Way& way : kWays) {
    const auto one =
        Agglomerative::fit(from({{3, 4}}), {.n_clusters = 1, .linkage = way.linkage, .metric = way.metric});
    EXPECT_EQ(one.labels().of, std::vector<Label>{0});
    EXPECT_EQ(one.placement_agreement(), 1);
  }
  EXPECT_EQ(error_of([] { Agglomerative::fit(from({{3, 4}})); }).fault, Fault::data);
}

TEST(Agglomerative, RefusesBadOptionsByName) {
  const Matrix x = scattered(12, 3, 2, 1, 0.8f);
  const auto says = [&](const AgglomerativeOptions& o, Fault fault, const std::string& text) {
    const Error e = error_of([&] { Agglomerative::fit(x, o); });
    EXPECT_EQ(e.fault, fault) << e.what();
    EXPECT_NE(std::string(e.what()).find(text), std::string::npos) << e.what();
  };
  says({.n_clusters = 0}, Fault::argument, "n_clusters is 0");
  says({.n_clusters = 40}, Fault::data, "n_clusters is 40, but only 12 rows");
  says({.n_clusters = {}}, Fault::argument, "neither of n_clusters and distance_threshold");
  says({.distance_threshold = 1}, Fault::argument, "both of n_clusters and distance_threshold");
  says({.n_clusters = {}, .distance_threshold = -1}, Fault::argument, "distance_threshold is -1");
  says({.n_clusters = {}, .distance_threshold = std::nan("")}, Fault::argument, "distance_threshold is nan");
  says({.linkage = Linkage::ward}, Fault::argument,
       "linkage is ward, which needs metric euclidean, not cosine");
  says({.linkage = Linkage::centroid}, Fault::argument, "linkage is centroid, which needs");
  says(
      {.linkage = Linkage::complete, .memory_bytes = 100}, Fault::data,
      "complete linkage (cosine) of 12 distinct rows needs 264 bytes for their distances; allowed: 100 bytes "
      "(memory_bytes)");
  says({.metric = Metric::euclidean, .memory_bytes = 527}, Fault::data, "average linkage (euclidean) of 12");
  EXPECT_NO_THROW(Agglomerative::fit(x, {.metric = Metric::euclidean, .memory_bytes = 528}));
}

TEST(Agglomerative, SaysHowMuchMemoryManyRowsNeed) {
  Matrix x(63666, 1);
  for (Index i = 0; i < x.rows(); ++i) x[i][0] = static_cast<float>(i);
  const Error e =
      error_of([&] { Agglomerative::fit(x, {.linkage = Linkage::complete, .metric = Metric::euclidean}); });
  EXPECT_NE(
      std::string(e.what()).find("complete linkage (euclidean) of 63,666 distinct rows needs 8.1 GB for "
                                 "their distances; allowed: 2.1 GB (memory_bytes)"),
      std::string::npos)
      << e.what();
}

TEST(Agglomerative, NamesLinkages) {
  for (const Way& way : kWays) EXPECT_EQ(shoal::named<Linkage>(name_of(way.linkage)), way.linkage);
  EXPECT_EQ(shoal::named<Linkage>("median"), std::nullopt);
}

TEST(Agglomerative, PlacesNewRowsAtTheNearestMean) {
  Matrix x = scattered(300, 4, 3, 7, 0.8f);
  for (Index i = 0; i < x.rows() * x.cols(); ++i) x.data()[i] += 5000;  // products alone would cancel
  const auto groups =
      Agglomerative::fit(x, {.n_clusters = 3, .linkage = Linkage::ward, .metric = Metric::euclidean});
  EXPECT_EQ(groups.place(groups.cluster_centers()).of, (std::vector<Label>{0, 1, 2}));
  const Labels placed = groups.place(x);
  Index same = 0;
  for (Index i = 0; i < 300; ++i) {
    same += placed.of[i] == groups.labels().of[i];
    double least = 1e30;
    Label nearest = 0;
    for (Label c = 0; c < 3; ++c) {
      double square = 0;
      for (Index j = 0; j < 4; ++j)
        square +=
            std::pow(static_cast<double>(x[i][j]) - groups.cluster_centers()[static_cast<Index>(c)][j], 2);
      if (square < least) least = square, nearest = c;
    }
    EXPECT_EQ(placed.of[i], nearest);
  }
  EXPECT_EQ(groups.placement_agreement(), static_cast<double>(same) / 300);
  EXPECT_GT(groups.placement_agreement(), 0.9);
  EXPECT_EQ(error_of([&] { groups.place(Matrix(2, 5)); }).fault, Fault::data);
  EXPECT_EQ(groups.place(Matrix(0, 4)).of.size(), 0u);
}

TEST(Agglomerative, HoldsRowsWhoseSquaresLeaveTheRangeOfFloat) {
  const Matrix near = scattered(90, 3, 4, 9, 0.8f);
  Matrix far = near;
  const float much = 0x1p70f;
  for (Index i = 0; i < 270; ++i) far.data()[i] *= much;
  const AgglomerativeOptions options{.n_clusters = 4, .linkage = Linkage::ward, .metric = Metric::euclidean};
  const Agglomerative a = Agglomerative::fit(near, options), b = Agglomerative::fit(far, options);
  EXPECT_EQ(a.labels(), b.labels());
  EXPECT_EQ(a.placement_agreement(), b.placement_agreement());
  EXPECT_EQ(a.place(near), b.place(far));
  for (Index c = 0; c < 4; ++c)
    for (Index j = 0; j < 3; ++j) EXPECT_EQ(b.cluster_centers()[c][j], a.cluster_centers()[c][j] * much);
}

TEST(Agglomerative, SameTreeForAnyThreads) {
  for (const Way& way : kWays) {
    const bool long_chunks = way.linkage == Linkage::single || way.linkage == Linkage::centroid;
    const Matrix x = scattered(long_chunks ? 4500 : 1500, 5, 40, 8, 0.8f);  // several chunks
    const Dendrogram one = tree_of(x, way.linkage, way.metric, {.threads = 1});
    EXPECT_TRUE(tree_of(x, way.linkage, way.metric, {.threads = 3}) == one) << named(way);
  }
}

TEST(Agglomerative, ReportsMergesAndHearsAStop) {
  const Matrix x = scattered(700, 5, 9, 8, 0.8f);
  for (const Way& way : kWays) {
    double done = 0, total = 0;
    std::stop_source source;
    shoal::Run run{
        .threads = 2, .stop = source.get_token(), .progress = [&](std::string_view step, double d, double t) {
          if (step != "agglomerative") return;
          EXPECT_GE(d, done);
          done = d;
          total = t;
        }};
    tree_of(x, way.linkage, way.metric, run);
    EXPECT_EQ(done, 699) << named(way);
    EXPECT_EQ(total, 699) << named(way);
    run.progress = [&](std::string_view step, double, double) {
      if (step == "agglomerative") source.request_stop();
    };
    EXPECT_EQ(error_of([&] { tree_of(x, way.linkage, way.metric, run); }).fault, Fault::cancelled)
        << named(way);
  }
}

TEST(Agglomerative, LoadsOnlyATree) {
  const auto path = std::filesystem::temp_directory_path() / ("agglomerative-" + std::to_string(getpid()));
  const auto groups = Agglomerative::fit(scattered(20, 3, 2, 1, 0.8f), {.n_clusters = 3});
  const auto write = [&](std::vector<std::int64_t> merges, std::vector<double> heights) {
    ArchiveWriter out(Agglomerative::kind);
    out.options(list_fields(groups.options()));
    out.space({});
    out.add("centers", groups.cluster_centers());
    const double agreement = 1;
    out.add("agreement", std::span<const double>(&agreement, 1));
    out.add("merges", std::span<const std::int64_t>(merges));
    out.add("heights", std::span<const double>(heights));
    out.write(path);
  };
  write({0, 1, 2, 3}, {0.1, 0.2});
  EXPECT_EQ(Agglomerative::load(ArchiveReader(path)).labels().of, (std::vector<Label>{0, 1, 2}));
  for (const auto& merges :
       std::vector<std::vector<std::int64_t>>{{0, 1, 0, 2}, {0, 1, 2, 9}, {0, 1, -1, 2}, {0, 1, 2}}) {
    write(merges, {0.1, 0.2});
    EXPECT_EQ(error_of([&] { Agglomerative::load(ArchiveReader(path)); }).fault, Fault::format);
  }
  write({0, 1}, {0.1});  // fewer rows than centers
  EXPECT_EQ(error_of([&] { Agglomerative::load(ArchiveReader(path)); }).fault, Fault::format);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace shoal
