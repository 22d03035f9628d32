#include "shoal/cluster/som/som.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "shoal/cluster/som/som_grid_impl.h"
#include "shoal/core/error.h"
#include "shoal/core/random.h"

namespace shoal {
namespace {

/// Rows spread evenly over a square of side 1 in the first two of `cols` columns, far from the origin.
Matrix square(Index rows, Index cols, float offset = 0) {
  const Random random({3});
  Matrix m(rows, cols);
  for (Index i = 0; i < rows; ++i) {
    std::ranges::fill(m[i], offset);
    for (Index j = 0; j < 2; ++j) m[i][j] += static_cast<float>(random.uniform(2 * i + j));
  }
  return m;
}

TEST(Som, AGridUnfoldsOnASquare) {
  for (const SomTopology topology : {SomTopology::rectangular, SomTopology::hexagonal})
    for (const SomInit init : {SomInit::pca, SomInit::sample}) {
      const Matrix x = square(4000, 3);
      const Som map =
          Som::fit(x, {.grid_rows = 8, .grid_cols = 8, .topology = topology, .n_epochs = 40, .init = init});
      // A unit's share of the square is 1/8 wide: its rows lie 0.048 from its middle on average.
      EXPECT_LT(map.quantisation_error(), 0.06) << name_of(topology) << name_of(init);
      EXPECT_LT(map.topographic_error(), 0.1) << name_of(topology) << name_of(init);
      const auto hits = map.hits();
      EXPECT_GT(*std::ranges::min_element(hits), 10u);
      EXPECT_EQ(std::accumulate(hits.begin(), hits.end(), Index{0}), 4000u);
    }
}

TEST(Som, AnswerMadeByHand) {
  // Two units a step apart, one epoch of radius 1/2 from the principal component: rows at 0, 1 and 10, 11 go
  // to either end. A unit is the mean of its rows and, with weight e^-2, of the other's.
  Matrix x(4, 1);
  for (const auto& [i, v] : {std::pair{0, 0.0f}, {1, 1.0f}, {2, 10.0f}, {3, 11.0f}})
    x[static_cast<Index>(i)][0] = v;
  const Som map = Som::fit(x, {.grid_rows = 1, .grid_cols = 2, .n_epochs = 1, .radius = 0.5});
  const double w = std::exp(-2.0), low = (0.5 + 10.5 * w) / (1 + w), high = (10.5 + 0.5 * w) / (1 + w);
  EXPECT_NEAR(map.codebook()[0][0], low, 1e-5);
  EXPECT_NEAR(map.codebook()[1][0], high, 1e-5);
  EXPECT_EQ(map.labels().of, (std::vector<Label>{0, 0, 1, 1}));
  EXPECT_EQ(map.labels().count, 2u);
  EXPECT_NEAR(map.quantisation_error(), (low + (low - 1)) / 2, 1e-5);
  EXPECT_EQ(map.topographic_error(), 0);
  const Matrix steps = map.u_matrix(), distances = map.transform(x);
  EXPECT_NEAR(steps[0][0], high - low, 1e-5);
  EXPECT_NEAR(distances[3][0], 11 - low, 1e-5);
}

TEST(SomGrid, KnowsWhoIsNextToWhom) {
  const auto count = [](const SomGrid& grid, Index unit) {
    Index n = 0;
    for (Index u = 0; u < grid.units(); ++u) n += grid.adjacent(unit, u);
    return n;
  };
  const SomGrid square({.grid_rows = 4, .grid_cols = 5});
  EXPECT_EQ(count(square, 7), 8u);
  EXPECT_EQ(count(square, 0), 3u);
  EXPECT_EQ(square.square(0, 6), 2);
  const SomGrid hexagons({.grid_rows = 4, .grid_cols = 5, .topology = SomTopology::hexagonal});
  EXPECT_EQ(count(hexagons, 7), 6u);
  EXPECT_EQ(count(hexagons, 12), 6u);
  EXPECT_NEAR(hexagons.square(0, 5), 1, 1e-12);
}

TEST(Som, LabelsArePredictions) {
  for (const Metric metric : {Metric::cosine, Metric::euclidean}) {
    const Matrix x = square(700, 4, 1000);
    const Som map = Som::fit(x, {.grid_rows = 6, .grid_cols = 7, .metric = metric});
    EXPECT_TRUE(map.predict(x) == map.labels()) << name_of(metric);
    const Matrix far = map.transform(x);
    for (Index i = 0; i < x.rows(); ++i)
      EXPECT_NEAR(far[i][static_cast<Index>(map.labels().of[i])], *std::ranges::min_element(far[i]), 1e-4);
  }
}

TEST(Som, RowsOfZerosHaveNoUnitUnderCosine) {
  Matrix x = square(50, 3, 0.1f);
  std::ranges::fill(x[7], 0.0f);
  const Som map = Som::fit(x, {.grid_rows = 2, .grid_cols = 2, .metric = Metric::cosine});
  EXPECT_EQ(map.labels().of[7], kNoise);
  EXPECT_EQ(std::ranges::count(map.labels().of, kNoise), 1);
  EXPECT_THROW(Som::fit(Matrix(5, 2), {.metric = Metric::cosine}), Error);
}

TEST(Som, EqualRowsAndOneRow) {
  Matrix equal(30, 2);
  std::fill_n(equal.data(), 60, 2.5f);
  const Som map = Som::fit(equal);
  EXPECT_EQ(map.quantisation_error(), 0);
  EXPECT_EQ(map.labels().of, std::vector<Label>(30, 0));
  const Matrix codebook = Som::fit(Rows(equal.view().slice(0, 1)), {.init = SomInit::sample}).codebook();
  EXPECT_EQ(codebook[99][1], 2.5f);
  EXPECT_TRUE(Som::fit(equal, {.grid_rows = 1, .grid_cols = 1}).u_matrix() == Matrix(1, 1));
}

TEST(Som, RefusesWhatItCannotUse) {
  const Matrix x = square(20, 3);
  EXPECT_THROW(Som::fit(x, {.grid_rows = 0}), Error);
  EXPECT_THROW(Som::fit(x, {.grid_rows = 300, .grid_cols = 300}), Error);
  EXPECT_THROW(Som::fit(x, {.n_epochs = 0}), Error);
  EXPECT_THROW(Som::fit(x, {.radius = 0.1}), Error);
  EXPECT_THROW(Som::fit(x, {.radius_end = 0}), Error);
  Matrix huge = square(20, 3);
  huge[4][1] = 1e30f;
  EXPECT_THROW(Som::fit(huge), Error);
}

}  // namespace
}  // namespace shoal
