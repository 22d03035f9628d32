#include "shoal/measure/rank_correlation.h"

#include <gtest/gtest.h>

#include <vector>

namespace shoal {
namespace {

// scipy.stats.spearmanr of the same numbers.
TEST(Spearman, EqualsScipyWithTies) {
  const std::vector<double> a{1, 2, 3, 4, 5}, b{5, 6, 7, 8, 7};
  EXPECT_NEAR(spearman(a, b), 0.8207826816681233, 1e-12);
  EXPECT_DOUBLE_EQ(spearman(a, std::vector<double>{9, 8, 7, 6, 5}), -1);
  EXPECT_DOUBLE_EQ(spearman(a, std::vector<double>(5, 3.0)), 0);
}

}  // namespace
}  // namespace shoal
