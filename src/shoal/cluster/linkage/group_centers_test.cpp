#include "shoal/cluster/linkage/group_centers.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "shoal/core/error.h"
#include "shoal/core/random.h"

namespace shoal {
namespace {

Matrix at_degrees(const std::vector<double>& degrees) {
  Matrix m(degrees.size(), 2);
  for (Index i = 0; i < degrees.size(); ++i) {
    m[i][0] = static_cast<float>(std::cos(degrees[i] * 3.14159265358979 / 180));
    m[i][1] = static_cast<float>(std::sin(degrees[i] * 3.14159265358979 / 180));
  }
  return m;
}

TEST(JoinCenters, JoinsTheMostSimilarFirst) {
  const Matrix centers = at_degrees({0, 90, 10, 100, 200});
  EXPECT_EQ(group_centers(centers, {5, 5, 5, 5, 5}, 3), (Labels{{0, 1, 0, 1, 2}, 3}));
  EXPECT_EQ(group_centers(centers, {5, 5, 5, 5, 5}, 5), (Labels{{0, 1, 2, 3, 4}, 5}));
  EXPECT_EQ(group_centers(centers, {5, 5, 5, 5, 5}, 1), (Labels{{0, 0, 0, 0, 0}, 1}));
}

TEST(JoinCenters, SizesWeighTheAverage) {
  // 0 and 30 join first. Then 75 stands at cos 75 = 0.259 and cos 45 = 0.707 from them, 122 at cos 47 = 0.682
  // from 75: the pair of 75 and 122 is closer to each other than to the group, unless the row at 30 weighs
  // more.
  const Matrix centers = at_degrees({0, 30, 75, 122});
  EXPECT_EQ(group_centers(centers, {1, 1, 1, 1}, 2).of, (std::vector<Label>{0, 0, 1, 1}));
  EXPECT_EQ(group_centers(centers, {1, 1000, 1, 1}, 2).of, (std::vector<Label>{0, 0, 0, 1}));
}

TEST(JoinCenters, TiesGoToTheLowestIds) {
  const Matrix square = at_degrees({0, 0, 180, 180});
  EXPECT_EQ(group_centers(square, {1, 1, 1, 1}, 3).of, (std::vector<Label>{0, 0, 1, 2}));
}

TEST(JoinCenters, LengthsDoNotMatterAndAnEmptyClusterIsAllowed) {
  Matrix centers = at_degrees({0, 90, 10, 100, 200});
  for (float& v : centers[2]) v *= 50;
  EXPECT_EQ(group_centers(centers, {5, 0, 5, 5, 0}, 3).of, (std::vector<Label>{0, 1, 0, 1, 2}));
}

TEST(JoinCenters, RefusesWhatItCannotDo) {
  const Matrix centers = at_degrees({0, 90});
  EXPECT_THROW(group_centers(centers, {1, 1}, 0), Error);
  EXPECT_THROW(group_centers(centers, {1, 1}, 3), Error);
  EXPECT_THROW(group_centers(centers, {1}, 1), Error);
}

/// Average linkage straight from its definition: the mean over all pairs of rows, anew for every pair of
/// groups.
std::vector<Label> naive(const Matrix& centers, const std::vector<Index>& sizes, Index n_groups) {
  std::vector<std::vector<Index>> groups;
  for (Index i = 0; i < centers.rows(); ++i) groups.push_back({i});
  const auto cosine = [&](Index a, Index b) {
    double ab = 0, aa = 0, bb = 0;
    for (Index j = 0; j < centers.cols(); ++j) {
      ab += double{centers[a][j]} * centers[b][j];
      aa += double{centers[a][j]} * centers[a][j];
      bb += double{centers[b][j]} * centers[b][j];
    }
    return ab / std::sqrt(aa * bb);
  };
  while (groups.size() > n_groups) {
    double most = -2;
    Index left = 0, right = 0;
    for (Index g = 0; g < groups.size(); ++g)
      for (Index h = g + 1; h < groups.size(); ++h) {
        double sum = 0, pairs = 0;
        for (Index a : groups[g])
          for (Index b : groups[h]) {
            const auto weight = static_cast<double>(sizes[a] * sizes[b]);
            sum += weight * cosine(a, b);
            pairs += weight;
          }
        if (sum / pairs > most) most = sum / pairs, left = g, right = h;
      }
    groups[left].insert(groups[left].end(), groups[right].begin(), groups[right].end());
    groups.erase(groups.begin() + static_cast<std::ptrdiff_t>(right));
  }
  std::vector<Label> labels(centers.rows());
  for (Index g = 0; g < groups.size(); ++g)
    for (Index c : groups[g]) labels[c] = static_cast<Label>(g);
  return labels;
}

TEST(JoinCenters, AgreesWithTheDefinition) {
  const Random random({11});
  Matrix centers(40, 6);
  std::vector<Index> sizes;
  for (Index i = 0; i < 240; ++i) centers.data()[i] = static_cast<float>(random.normal(i));
  for (Index i = 0; i < 40; ++i) sizes.push_back(1 + random.below(1000 + i, 500));
  for (Index n : {1u, 2u, 5u, 17u, 39u})
    EXPECT_EQ(group_centers(centers, sizes, n).of, naive(centers, sizes, n)) << n << " groups";
}

TEST(DefaultGroups, IsAboutTheSquareRoot) {
  EXPECT_EQ(default_groups(0), 1u);
  EXPECT_EQ(default_groups(3), 1u);
  EXPECT_EQ(default_groups(4), 3u);
  EXPECT_EQ(default_groups(100), 10u);
  EXPECT_EQ(default_groups(1000), 20u);
}

}  // namespace
}  // namespace shoal
