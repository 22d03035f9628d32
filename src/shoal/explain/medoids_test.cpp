#include "shoal/explain/medoids.h"

#include <gtest/gtest.h>

#include <limits>

#include "shoal/core/error.h"

namespace shoal {
namespace {

Matrix matrix(const std::vector<std::vector<float>>& rows) {
  Matrix m(rows.size(), rows.empty() ? 2 : rows[0].size());
  for (Index i = 0; i < rows.size(); ++i) std::copy(rows[i].begin(), rows[i].end(), m[i].begin());
  return m;
}

using Lists = std::vector<std::vector<Index>>;

TEST(Medoids, NearestToTheCenterFirst) {
  const Matrix x = matrix({{0, 1}, {1, 0.1f}, {1, 0}, {1, 1}, {0.1f, 9}});
  EXPECT_EQ(medoids(x, {{0, 1, 1, 1, 0}, 2}, matrix({{0, 1}, {1, 0}}), 2, {}), (Lists{{0, 4}, {2, 1}}));
}

TEST(Medoids, TiesTwinsAndFewRows) {
  const Matrix x = matrix({{1, 0}, {0, 1}, {1, 0}, {2, 0}});  // 2 is row 0 again; 3 only points the same way
  EXPECT_EQ(medoids(x, {{0, 0, 0, 0}, 1}, matrix({{1, 0}}), 3, {}), (Lists{{0, 3, 1}}));
  EXPECT_EQ(medoids(x, {{1, kNoise, 1, kNoise}, 2}, matrix({{1, 0}, {1, 0}}), 3, {}), (Lists{{}, {0}}));
  EXPECT_EQ(medoids(x, {{0, 0, 0, 0}, 1}, matrix({{1, 0}}), 0, {}), (Lists{{}}));
}

TEST(Medoids, ZerosAndNaNsLast) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Matrix x = matrix({{0, 0}, {nan, 1}, {-1, 0}});
  EXPECT_EQ(medoids(x, {{0, 0, 0}, 1}, matrix({{1, 0}}), 1, {}), (Lists{{2}}));
}

TEST(Medoids, AnyThreads) {
  Matrix x(5000, 19), centers(7, 19);
  Labels labels{.of = std::vector<Label>(5000), .count = 7};
  for (Index i = 0; i < 5000 * 19; ++i) x.data()[i] = static_cast<float>((i * 7919) % 1009) - 500;
  for (Index i = 0; i < 7 * 19; ++i) centers.data()[i] = static_cast<float>((i * 31) % 17) - 8;
  for (Index i = 0; i < 5000; ++i) labels.of[i] = static_cast<Label>(i * i % 7);
  const Lists one = medoids(x, labels, centers, 5, {.threads = 1});
  for (unsigned threads : {2u, 3u}) EXPECT_EQ(medoids(x, labels, centers, 5, {.threads = threads}), one);
  EXPECT_EQ(one[1].size(), 5u);
}

TEST(Medoids, RefusesWhatDoesNotAgree) {
  const Matrix x = matrix({{1, 0}}), centers = matrix({{1, 0}});
  EXPECT_THROW(medoids(x, {{0, 0}, 1}, centers, 1, {}), Error);
  EXPECT_THROW(medoids(x, {{0}, 2}, centers, 1, {}), Error);
  EXPECT_THROW(medoids(x, {{1}, 1}, centers, 1, {}), Error);
  EXPECT_THROW(medoids(x, {{0}, 1}, matrix({{1, 0, 0}}), 1, {}), Error);
  EXPECT_EQ(medoids(Matrix(0, 2), {{}, 1}, centers, 3, {}), (Lists{{}}));
}

}  // namespace
}  // namespace shoal
