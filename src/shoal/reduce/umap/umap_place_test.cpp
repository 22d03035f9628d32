#include "shoal/reduce/umap/umap_place_impl.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <limits>

#include "shoal/core/error.h"
#include "shoal/core/random.h"
#include "shoal/reduce/umap/umap.h"
#include "shoal/store/archive/archive.h"
#include "tests/error_of.h"

namespace shoal {
namespace {

// Rows i, i + 1, ...: groups about 6 directions in 10 dimensions, row i in group i % 6.
Matrix groups(Index first, Index count) {
  const Random centre(Seed{1}), around(Seed{2});
  Matrix x(count, 10);
  for (Index i = 0; i < count; ++i)
    for (Index j = 0; j < 10; ++j)
      x[i][j] = static_cast<float>(2 * centre.uniform((first + i) % 6 * 10 + j) - 1 +
                                   0.3 * (2 * around.uniform((first + i) * 10 + j) - 1));
  return x;
}

float apart(std::span<const float> a, std::span<const float> b) {
  return std::hypot(a[0] - b[0], a[1] - b[1]);
}

Index nearest_to(const Matrix& map, std::span<const float> place) {
  Index best = 0;
  for (Index j = 1; j < map.rows(); ++j)
    if (apart(map[j], place) < apart(map[best], place)) best = j;
  return best;
}

// Two old points at (0, 0) and (0.6, 0), nothing pushes: a new one as far from both comes to lie in the
// middle; one at half the distance that the first has to its own nearest goes half of the way.
TEST(UmapPlace, ByHand) {
  Matrix map(2, 2), scales(2, 2);
  map[1][0] = 0.6f;  // further apart, the middle would not hold a point: it would fall to either
  for (Index i = 0; i < 2; ++i) scales[i][0] = scales[i][1] = 1;
  const UmapDescentOptions options{
      .curve = {1.577, 0.895}, .n_epochs = 100, .learning_rate = 0.25, .negative_sample_rate = 0, .seed = {}};
  const Neighbours near{2, {0, 1, 0, 1, 1, 0}, {1, 1, 0.5f, 0.5f, 0, 1}};
  const Matrix places = place_points(near, map.view(), scales, options, {});
  EXPECT_NEAR(places[0][0], 0.3, 0.02);
  EXPECT_NEAR(places[1][0], 0.15, 0.01);
  EXPECT_EQ(places[2][0], 0.6f);
  for (Index i = 0; i < 3; ++i) EXPECT_EQ(places[i][1], 0);
}

TEST(UmapPlace, OldRowsLieOnTheirPoints) {
  const Matrix x = groups(0, 300);
  for (const Metric metric : {Metric::cosine, Metric::euclidean}) {
    const Umap map = Umap::fit(x, {.metric = metric});
    const Matrix again = map.transform(x, x);
    for (Index i = 0; i < 300; ++i) EXPECT_LT(apart(again[i], map.embedding()[i]), 1e-4) << i;
    Matrix moved = x;  // and rows that are nearly the same, nearly there
    for (Index i = 0; i < 3000; ++i) moved.data()[i] *= 1 + 1e-3f * static_cast<float>(i % 3);
    const Matrix nearly = map.transform(moved, x);
    for (Index i = 0; i < 300; ++i) EXPECT_LT(apart(nearly[i], map.embedding()[i]), 0.1) << i;
  }
}

TEST(UmapPlace, NewRowsLieAmongTheirOwn) {
  const Matrix x = groups(0, 300), fresh = groups(300, 120);
  for (const Metric metric : {Metric::cosine, Metric::euclidean}) {
    const Umap map = Umap::fit(x, {.metric = metric});
    const Matrix places = map.transform(fresh, x);
    for (Index i = 0; i < 120; ++i) EXPECT_EQ(nearest_to(map.embedding(), places[i]) % 6, i % 6) << i;
  }
}

TEST(UmapPlace, ARowsPlaceIsItsOwnAffair) {
  const Matrix x = groups(0, 200);
  Matrix fresh = groups(200, 40);
  for (float& v : fresh[7]) v *= 1e6f;  // company of any length
  for (const Metric metric : {Metric::cosine, Metric::euclidean}) {
    const Umap map = Umap::fit(x, {.metric = metric, .n_epochs = 60});
    const Matrix all = map.transform(fresh, x, {.threads = 1});
    EXPECT_EQ(map.transform(fresh, x, {.threads = 3}), all);
    for (const Index i : {0u, 6u, 7u, 39u}) {
      const Matrix alone = map.transform(fresh.view().slice(i, 1), x);
      EXPECT_EQ(alone[0][0], all[i][0]) << i;
      EXPECT_EQ(alone[0][1], all[i][1]) << i;
    }
  }
}

TEST(UmapPlace, OnALoadedMap) {
  const Matrix x = groups(0, 100), fresh = groups(100, 10);
  const Umap map = Umap::fit(x, {.n_epochs = 30});
  const std::filesystem::path path = testing::TempDir() + "umap-place.safetensors";
  ArchiveWriter out(Umap::kind);
  map.save(out);
  out.write(path);
  EXPECT_EQ(Umap::load(ArchiveReader(path)).transform(fresh, x), map.transform(fresh, x));
}

TEST(UmapPlace, FewAndEqualOldRows) {
  for (const Index n : {1u, 2u, 3u}) {
    const Matrix x = groups(0, n), place = Umap::fit(x).transform(groups(n, 5), x);
    for (Index i = 0; i < 10; ++i) EXPECT_TRUE(std::isfinite(place.data()[i])) << n;
  }
  Matrix equal(50, 10);
  for (Index i = 0; i < 500; ++i) equal.data()[i] = 0.5f;
  for (const Metric metric : {Metric::cosine, Metric::euclidean}) {
    const Matrix place = Umap::fit(equal, {.metric = metric}).transform(groups(0, 5), equal);
    for (Index i = 0; i < 10; ++i) EXPECT_TRUE(std::isfinite(place.data()[i]));
  }
}

TEST(UmapPlace, Refusals) {
  const Matrix x = groups(0, 50);
  const auto of = [](const Matrix& m, const char* model) { return Rows(m, {.id = model, .dims = m.cols()}); };
  const Rows mine = of(x, "one");
  const Umap map = Umap::fit(mine, {.n_epochs = 5});
  const auto says = [&](const Rows& rows, const Rows& trained) {
    return std::string(error_of([&] { map.transform(rows, trained); }).what());
  };
  Matrix other = x;
  other[49][9] += 1;
  const Matrix fewer = groups(0, 49), narrow(3, 9), none(0, 10);
  const auto has = [](const std::string& message, const char* part) {
    return message.find(part) != std::string::npos;
  };
  EXPECT_TRUE(has(says(mine, of(other, "one")), "are not those")) << says(mine, of(other, "one"));
  EXPECT_TRUE(has(says(mine, of(fewer, "one")), "49")) << says(mine, of(fewer, "one"));
  EXPECT_TRUE(has(says(of(narrow, "one"), mine), "9")) << says(of(narrow, "one"), mine);
  EXPECT_TRUE(has(says(of(x, "two"), mine), "two")) << says(of(x, "two"), mine);
  other[3][3] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(has(says(of(other, "one"), mine), "row 3")) << says(of(other, "one"), mine);
  EXPECT_EQ(fault_of([&] { Umap::fit(none).transform(x, none); }), Fault::data);
  EXPECT_EQ(map.transform(of(none, "one"), mine).rows(), 0u);
}

}  // namespace
}  // namespace shoal
