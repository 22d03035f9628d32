#include "shoal/map/dense_view.h"

#include <gtest/gtest.h>

#include <cmath>

#include "shoal/core/random.h"

namespace shoal {
namespace {

/// So many points, normal around a place.
void add_cloud(std::vector<Place>& points, float x, float y, Index count, float spread, std::uint64_t seed) {
  const Random random(Seed{seed});
  for (Index i = 0; i < count; ++i)
    points.push_back({x + spread * static_cast<float>(random.normal(2 * i)),
                      y + spread * static_cast<float>(random.normal(2 * i + 1))});
}

Matrix matrix(const std::vector<Place>& points) {
  Matrix out(points.size(), 2);
  for (Index i = 0; i < points.size(); ++i) out[i][0] = points[i].x, out[i][1] = points[i].y;
  return out;
}

double side(const MapBox& box) {
  return std::max(double{box.high.x} - box.low.x, double{box.high.y} - box.low.y);
}

TEST(DenseView, LeavesFarIslandsOutsideAndKeepsNearlyAllPoints) {
  for (const Index rows : {1000u, 10000u, 60000u}) {
    std::vector<Place> points;
    for (int i = 0; i < 20; ++i)
      add_cloud(points, static_cast<float>(i % 5) * 2, static_cast<float>(i / 5) * 2, rows / 20, 0.5f, i);
    for (int i = 0; i < 6; ++i)
      add_cloud(points, i < 3 ? 40.f : -30.f, 30.f * (i % 3), rows / 400, 0.2f, 100 + i);
    const Matrix x = matrix(points);
    const MapBox view = dense_view(x.view());
    EXPECT_LT(side(view), 14) << rows;
    EXPECT_GT(side(view), 8) << rows;
    EXPECT_LE(count_outside(x.view(), view), points.size() / 25) << "at least 96 % are inside";
    EXPECT_GT(side(whole_view(x.view())), 65);
    EXPECT_EQ(count_outside(x.view(), whole_view(x.view())), 0u);
  }
}

TEST(DenseView, LeavesNothingOutWhereThereIsNoTail) {
  std::vector<Place> points;
  const Random random(Seed{3});
  for (Index i = 0; i < 5000; ++i)
    points.push_back(
        {static_cast<float>(random.uniform(2 * i)), static_cast<float>(random.uniform(2 * i + 1))});
  const Matrix x = matrix(points);
  EXPECT_EQ(count_outside(x.view(), dense_view(x.view())), 0u);
}

TEST(DenseView, OneFarPointOfManyDoesNotCountAndOneOfFewDoes) {
  std::vector<Place> points;
  add_cloud(points, 0, 0, 200, 1, 1);
  points.push_back({1e6f, -1e6f});
  const Matrix many = matrix(points);
  EXPECT_LT(side(dense_view(many.view())), 10);
  const Matrix few = matrix({{0, 0}, {1, 0}, {0, 1}, {50, 50}});
  EXPECT_EQ(count_outside(few.view(), dense_view(few.view())), 0u) << "a quarter of the rows is no tail";
}

TEST(DenseView, HasRoomAroundOnePlaceAndAroundNone) {
  const Matrix same = matrix({{3, 4}, {3, 4}}), none = matrix({{NAN, 1}, {INFINITY, 2}});
  EXPECT_EQ(dense_view(same.view()).low.x, 2.5f);
  EXPECT_EQ(dense_view(none.view()).high.y, 0.5f);
  EXPECT_EQ(dense_view(MatrixView{}).high.y, 0.5f);
  EXPECT_EQ(count_outside(none.view(), {{0, 0}, {1, 1}}), 0u) << "what has no place is not outside";
  const Matrix line = matrix({{0, 2}, {1, 2}, {5, 2}});
  EXPECT_EQ(dense_view(line.view()).high.x, 5);
  EXPECT_EQ(dense_view(line.view()).high.y, 2);
}

/// Even-odd, over all rings of a level.
bool inside(const Contours& lines, Index level, double x, double y) {
  bool in = false;
  for (const auto& ring : lines.rings) {
    if (ring.level != level) continue;
    for (Index i = 0, j = ring.x.size() - 1; i < ring.x.size(); j = i++) {
      const double xi = lines.low.x + lines.unit * ring.x[i], yi = lines.low.y + lines.unit * ring.y[i];
      const double xj = lines.low.x + lines.unit * ring.x[j], yj = lines.low.y + lines.unit * ring.y[j];
      if ((yi > y) != (yj > y) && x < (xj - xi) * (y - yi) / (yj - yi) + xi) in = !in;
    }
  }
  return in;
}

TEST(Contours, EachLevelHoldsItsShareOfThePoints) {
  std::vector<Place> points;
  add_cloud(points, 0, 0, 6000, 1, 1);
  add_cloud(points, 7, 2, 4000, 0.6f, 2);
  const Matrix x = matrix(points);
  const Contours lines = contours(x.view(), dense_view(x.view()));
  ASSERT_EQ(lines.levels, 6u);
  const double shares[] = {0.96, 0.8, 0.6, 0.4, 0.22, 0.08};
  for (Index level = 0; level < lines.levels; ++level) {
    Index count = 0;
    for (const Place& p : points) count += inside(lines, level, p.x, p.y);
    EXPECT_NEAR(static_cast<double>(count) / static_cast<double>(points.size()), shares[level], 0.03)
        << level;
  }
  EXPECT_TRUE(inside(lines, 0, 7, 2));
  EXPECT_FALSE(inside(lines, 0, 4.2, -2)) << "between the clouds";
}

TEST(Contours, AreTheSameForAnyOrderOfRowsAndFewerThanTwentyHaveNone) {
  std::vector<Place> points;
  add_cloud(points, 0, 0, 300, 1, 1);
  const Matrix x = matrix(points);
  std::ranges::reverse(points);
  const Matrix y = matrix(points);
  const Contours a = contours(x.view(), dense_view(x.view())), b = contours(y.view(), dense_view(y.view()));
  ASSERT_EQ(a.rings.size(), b.rings.size());
  for (Index i = 0; i < a.rings.size(); ++i) EXPECT_EQ(a.rings[i].x, b.rings[i].x);
  points.resize(19);
  const Matrix few = matrix(points);
  EXPECT_TRUE(contours(few.view(), dense_view(few.view())).rings.empty());
  EXPECT_TRUE(contours(MatrixView{}, {{0, 0}, {0, 0}}).rings.empty());
}

TEST(Contours, OfPointsOnALineAreClosed) {
  std::vector<Place> points;
  for (int i = 0; i < 100; ++i) points.push_back({static_cast<float>(i), 3});
  const Matrix x = matrix(points);
  const Contours lines = contours(x.view(), dense_view(x.view()));
  EXPECT_FALSE(lines.rings.empty());
  EXPECT_TRUE(inside(lines, 0, 50, 3));
  EXPECT_FALSE(inside(lines, 0, 50, 20));
}

}  // namespace
}  // namespace shoal
