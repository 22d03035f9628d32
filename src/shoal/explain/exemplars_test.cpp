#include "shoal/explain/exemplars.h"

#include <gtest/gtest.h>

#include <cmath>

#include "shoal/core/error.h"
#include "shoal/explain/medoids.h"

namespace shoal {
namespace {

using Lists = std::vector<std::vector<Index>>;

/// Unit rows at these angles, in degrees.
Matrix at_angles(const std::vector<double>& degrees) {
  Matrix m(degrees.size(), 2);
  for (Index i = 0; i < degrees.size(); ++i) {
    m[i][0] = static_cast<float>(std::cos(degrees[i] / 180 * 3.14159265358979));
    m[i][1] = static_cast<float>(std::sin(degrees[i] / 180 * 3.14159265358979));
  }
  return m;
}

TEST(Exemplars, DifferFromEachOther) {
  const Matrix x = at_angles({0, 1, 2, -30, 31, 180}), center = at_angles({0});
  const Labels labels{.of = {0, 0, 0, 0, 0, kNoise}, .count = 1};
  EXPECT_EQ(exemplars(x, labels, center, {.n = 3}, {}), (Lists{{0, 1, 2}}));
  EXPECT_EQ(exemplars(x, labels, center, {.n = 3, .diversity = 0.7}, {}), (Lists{{0, 4, 3}}));
  EXPECT_EQ(exemplars(x, labels, center, {.n = 9, .diversity = 1}, {}), (Lists{{0, 4, 3, 2, 1}}));
}

TEST(Exemplars, OnlyAmongTheNearest) {
  std::vector<double> angles;
  for (int i = 0; i < 100; ++i) angles.push_back(0.1 * i);
  angles.push_back(170);
  const Lists found = exemplars(at_angles(angles), {.of = std::vector<Label>(101), .count = 1},
                                at_angles({0}), {.n = 2, .diversity = 1}, {});
  EXPECT_EQ(found, (Lists{{0, 39}}));  // the 40th nearest
}

TEST(Exemplars, EmptyZerosAndThreads) {
  Matrix x(300, 7), centers(3, 7);
  Labels labels{.of = std::vector<Label>(300), .count = 3};
  for (Index i = 0; i < 300 * 7; ++i) x.data()[i] = static_cast<float>((i * 7919) % 1009) - 500;
  for (Index i = 0; i < 3 * 7; ++i) centers.data()[i] = static_cast<float>((i * 31) % 17) - 8;
  for (Index i = 0; i < 300; ++i) labels.of[i] = static_cast<Label>(i % 2);
  for (float& v : x[4]) v = 0;
  const Lists one = exemplars(x, labels, centers, {.n = 4, .diversity = 0.5}, {.threads = 1});
  EXPECT_EQ(exemplars(x, labels, centers, {.n = 4, .diversity = 0.5}, {.threads = 3}), one);
  EXPECT_EQ(one[0].size(), 4u);
  EXPECT_EQ(one[2].size(), 0u);
  EXPECT_EQ(one[0][0], medoids(x, labels, centers, 1, {})[0][0]);
  EXPECT_NE(one, medoids(x, labels, centers, 4, {}));
}

TEST(Exemplars, RefusesADiversityOutOfRange) {
  const Matrix x = at_angles({0});
  for (double wrong : {-0.1, 1.1, std::nan("")})
    EXPECT_THROW(exemplars(x, {.of = {0}, .count = 1}, x, {.diversity = wrong}, {}), Error);
}

}  // namespace
}  // namespace shoal
