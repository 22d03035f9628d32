#include "shoal/map/place_names.h"

#include <gtest/gtest.h>

#include <cmath>

#include "shoal/core/error.h"
#include "shoal/core/random.h"

namespace shoal {
namespace {

/// `count` points around a place, within `spread` of it.
void add_island(std::vector<Place>& points, float x, float y, Index count, float spread, std::uint64_t seed) {
  const Random random(Seed{seed});
  for (Index i = 0; i < count; ++i)
    points.push_back({x + spread * static_cast<float>(2 * random.uniform(2 * i) - 1),
                      y + spread * static_cast<float>(2 * random.uniform(2 * i + 1) - 1)});
}

Matrix matrix(const std::vector<Place>& points) {
  Matrix out(points.size(), 2);
  for (Index i = 0; i < points.size(); ++i) out[i][0] = points[i].x, out[i][1] = points[i].y;
  return out;
}

Labels all_of(Label label, Index rows, Index count) { return {std::vector<Label>(rows, label), count}; }

TEST(DensestPlaces, IsOnTheLargestOfSeveralIslandsAndNotBetweenThem) {
  std::vector<Place> points;
  add_island(points, -10, 0, 400, 0.5f, 1);
  add_island(points, 10, 0, 300, 0.5f, 2);
  add_island(points, 0, 8, 200, 0.5f, 3);
  const Matrix x = matrix(points);
  const Place place = densest_places(x.view(), all_of(0, x.rows(), 1), map_box(x.view()), 48).at(0);
  EXPECT_NEAR(place.x, -10, 0.3);
  EXPECT_NEAR(place.y, 0, 0.3);
}

TEST(DensestPlaces, OnePlaceALabelAndNoneForNoise) {
  const Matrix x = matrix({{0, 0}, {0, 0}, {5, 1}, {100, 100}});
  const auto places = densest_places(x.view(), {{0, 0, 2, kNoise}, 3}, {{0, 0}, {10, 10}}, 10);
  ASSERT_EQ(places.size(), 3u);
  EXPECT_EQ(places[0].x, 0);
  EXPECT_EQ(places[1].x, 5) << "a label without rows stands in the middle of the box";
  EXPECT_EQ(places[1].y, 5);
  EXPECT_EQ(places[2].y, 1);
}

TEST(DensestPlaces, RowsWithoutAFinitePointTakeNoPart) {
  const Matrix x = matrix({{1, 2}, {NAN, 0}, {0, INFINITY}});
  const auto places = densest_places(x.view(), all_of(0, 3, 1), map_box(x.view()), 48);
  EXPECT_EQ(places[0].x, 1);
  EXPECT_EQ(places[0].y, 2);
}

TEST(DensestPlaces, RefusesLabelsOutOfRangeAndOtherLengths) {
  const Matrix x = matrix({{1, 2}, {3, 4}});
  const MapBox box = map_box(x.view());
  EXPECT_THROW(densest_places(x.view(), {{0, 1}, 1}, box, 48), Error);
  EXPECT_THROW(densest_places(x.view(), {{0, -2}, 1}, box, 48), Error);
  EXPECT_THROW(densest_places(x.view(), {{0}, 1}, box, 48), Error);
}

MapBox box_of(const Matrix& points) { return map_box(points.view()); }

TEST(MapBox, IsNotShrunkByHeavyTails) {
  std::vector<Place> points;
  add_island(points, 0, 0, 1000, 1, 1);
  points.push_back({1e6f, -1e6f});
  const MapBox box = box_of(matrix(points));
  EXPECT_LT(box.high.x, 1.01f);
  EXPECT_GT(box.low.y, -1.01f);
  EXPECT_GT(box.high.x - box.low.x, 1.9f);
}

TEST(MapBox, HasRoomAroundOnePlaceAndAroundNone) {
  const MapBox one = box_of(matrix({{3, 4}, {3, 4}}));
  EXPECT_EQ(one.low.x, 2.5f);
  EXPECT_EQ(one.high.y, 4.5f);
  const MapBox none = box_of(matrix({{NAN, 4}}));
  EXPECT_EQ(none.low.x, -0.5f);
  EXPECT_EQ(none.high.y, 0.5f);
}

TEST(PlaceNames, PutsClustersAndGroupsWhereTheirPointsAre) {
  std::vector<Place> points;
  for (Index c = 0; c < 4; ++c) add_island(points, c < 2 ? -10.f - c : 10.f + c, 3.f * c, 50, 0.2f, c);
  const Matrix x = matrix(points);
  Labels labels{{}, 4};
  for (Index i = 0; i < points.size(); ++i) labels.of.push_back(static_cast<Label>(i / 50));
  const NamePlaces places = place_names(x.view(), labels, {0, 0, 1, 1}, 2);
  for (Index c = 0; c < 4; ++c) EXPECT_NEAR(places.clusters[c].y, 3.f * c, 0.2f) << c;
  EXPECT_LT(places.groups[0].x, -9);
  EXPECT_GT(places.groups[1].x, 9);
  EXPECT_THROW(place_names(x.view(), labels, {0, 0, 1, 2}, 2), Error);
  EXPECT_TRUE(place_names(MatrixView{}, labels, {0, 0, 1, 1}, 2).clusters.empty());
}

}  // namespace
}  // namespace shoal
