#include <gtest/gtest.h>

#include <cmath>

#include "shoal/core/error.h"
#include "shoal/core/random.h"
#include "shoal/reduce/umap/umap.h"
#include "tests/error_of.h"

namespace shoal {
namespace {

// Rows of 6 groups, row i in group i % 6; each table's rows lie a little elsewhere.
Matrix table(Index number, Index rows = 180) {
  const Random centre(Seed{1}), around(Seed{2}), drift(Seed{3 + number});
  Matrix x(rows, 10);
  for (Index i = 0; i < rows; ++i)
    for (Index j = 0; j < 10; ++j)
      x[i][j] = static_cast<float>(2 * centre.uniform(i % 6 * 10 + j) - 1 +
                                   0.3 * (2 * around.uniform(i * 10 + j) - 1) +
                                   0.05 * (2 * drift.uniform(i * 10 + j) - 1));
  return x;
}

RelatedRows same_numbers(Index rows) {
  RelatedRows out;
  for (Index i = 0; i < rows; ++i) out.emplace_back(i, i);
  return out;
}

double mean_apart(const Matrix& a, const Matrix& b, Index rows) {
  double sum = 0;
  for (Index i = 0; i < rows; ++i) sum += std::hypot(a[i][0] - b[i][0], a[i][1] - b[i][1]);
  return sum / static_cast<double>(rows);
}

Index strangers(const Matrix& y) {
  Index out = 0;
  for (Index i = 0; i < y.rows(); ++i) {
    Index best = i == 0 ? 1 : 0;
    for (Index j = 0; j < y.rows(); ++j)
      if (j != i && std::hypot(y[i][0] - y[j][0], y[i][1] - y[j][1]) <
                        std::hypot(y[i][0] - y[best][0], y[i][1] - y[best][1]))
        best = j;
    out += best % 6 != i % 6;
  }
  return out;
}

TEST(UmapAligned, RelatedPointsLieTogether) {
  const Matrix a = table(0), b = table(1), c = table(2);
  const std::vector<Rows> tables{a, b, c};
  const std::vector<RelatedRows> related(2, same_numbers(180));
  const auto tied = Umap::fit_aligned(tables, related);
  const auto loose = Umap::fit_aligned(tables, related, {.alignment_regularisation = 0});
  for (Index t = 0; t + 1 < 3; ++t) {
    EXPECT_LT(mean_apart(tied[t].embedding(), tied[t + 1].embedding(), 180),
              0.6 * mean_apart(loose[t].embedding(), loose[t + 1].embedding(), 180));
  }
  for (const Umap& map : tied) EXPECT_EQ(strangers(map.embedding()), 0u) << "each map shows its own groups";
}

// The window reaches from the first table to the third although the second has none of the rows between: no
// chain, no tie.
TEST(UmapAligned, ATieNeedsAChain) {
  const Matrix a = table(0), b = table(1), c = table(2);
  const std::vector<Rows> tables{a, b, c};
  const RelatedRows all = same_numbers(180);
  const auto far = Umap::fit_aligned(tables, std::vector<RelatedRows>{all, all},
                                     {.alignment_regularisation = 1, .alignment_window_size = 2});
  const auto near = Umap::fit_aligned(tables, std::vector<RelatedRows>{all, all},
                                      {.alignment_regularisation = 1, .alignment_window_size = 1});
  const auto broken = Umap::fit_aligned(tables, std::vector<RelatedRows>{all, {}},
                                        {.alignment_regularisation = 1, .alignment_window_size = 2});
  EXPECT_LT(mean_apart(far[0].embedding(), far[2].embedding(), 180),
            mean_apart(near[0].embedding(), near[2].embedding(), 180));
  EXPECT_LT(mean_apart(near[0].embedding(), near[2].embedding(), 180),
            mean_apart(broken[0].embedding(), broken[2].embedding(), 180));
}

TEST(UmapAligned, EachMapIsAUmapThatPlacesRows) {
  const Matrix a = table(0), b = table(1);
  const auto maps = Umap::fit_aligned(std::vector<Rows>{a, b}, std::vector<RelatedRows>{same_numbers(180)});
  const Matrix again = maps[1].transform(b, b);
  EXPECT_LT(mean_apart(again, maps[1].embedding(), 180), 1e-4);
  EXPECT_EQ(fault_of([&] { maps[1].transform(b, a); }), Fault::data);
}

TEST(UmapAligned, SameBitsForAnyThreads) {
  const Matrix a = table(0), b = table(1, 90);
  const std::vector<Rows> tables{a, b};
  const std::vector<RelatedRows> related{same_numbers(90)};
  const auto one = Umap::fit_aligned(tables, related, {.umap = {.n_epochs = 40}}, {.threads = 1});
  const auto three = Umap::fit_aligned(tables, related, {.umap = {.n_epochs = 40}}, {.threads = 3});
  for (Index t = 0; t < 2; ++t) EXPECT_EQ(one[t].embedding(), three[t].embedding());
}

TEST(UmapAligned, DegenerateTables) {
  const Matrix a = table(0, 30), one = table(1, 1), none(0, 10), b = table(2, 20);
  const std::vector<Rows> tables{none, a, one, none, b, none};
  const std::vector<RelatedRows> related{{}, {{4, 0}}, {}, {}, {}};
  const auto maps = Umap::fit_aligned(tables, related, {.alignment_regularisation = 10});
  ASSERT_EQ(maps.size(), 6u);
  for (Index t = 0; t < 6; ++t) {
    const Matrix& y = maps[t].embedding();
    ASSERT_EQ(y.rows(), tables[t].rows());
    for (Index i = 0; i < 2 * y.rows(); ++i) EXPECT_TRUE(std::isfinite(y.data()[i])) << t;
  }
  const auto place = maps[1].embedding()[4], its = maps[2].embedding()[0];
  EXPECT_LT(std::hypot(place[0] - its[0], place[1] - its[1]), 1) << "the only row lies with its relative";
  EXPECT_TRUE(Umap::fit_aligned({}, {}).empty());
  EXPECT_EQ(Umap::fit_aligned(std::vector<Rows>{one}, {})[0].embedding(), Matrix(1, 2));
}

TEST(UmapAligned, Refusals) {
  const Matrix a = table(0, 20), b = table(1, 20), narrow(20, 9);
  const std::vector<Rows> two{a, b};
  const auto fault = [&](const RelatedRows& related, const AlignedUmapOptions& options = {}) {
    return fault_of([&] { Umap::fit_aligned(two, std::vector<RelatedRows>{related}, options); });
  };
  EXPECT_EQ(fault({{20, 0}}), Fault::argument);
  EXPECT_EQ(fault({{0, 20}}), Fault::argument);
  EXPECT_EQ(fault({{0, 1}, {0, 2}}), Fault::argument);
  EXPECT_EQ(fault({{0, 1}, {2, 1}}), Fault::argument);
  EXPECT_EQ(fault({}, {.umap = {.dens_lambda = 2}}), Fault::argument);
  EXPECT_EQ(fault({}, {.alignment_regularisation = -1}), Fault::argument);
  EXPECT_EQ(fault({}, {.alignment_window_size = 0}), Fault::argument);
  EXPECT_EQ(fault_of([&] { Umap::fit_aligned(two, {}); }), Fault::argument);
  EXPECT_EQ(fault_of([&] {
              Umap::fit_aligned(std::vector<Rows>{a, narrow}, std::vector<RelatedRows>(1));
            }),
            Fault::data);
  EXPECT_EQ(fault_of([&] {
              Umap::fit_aligned(
                  std::vector<Rows>{Rows(a, {.id = "x", .dims = 10}), Rows(b, {.id = "y", .dims = 10})},
                  std::vector<RelatedRows>(1));
            }),
            Fault::data);
}

}  // namespace
}  // namespace shoal
