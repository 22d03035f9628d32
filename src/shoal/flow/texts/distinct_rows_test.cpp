#include "shoal/flow/texts/distinct_rows.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "shoal/core/random.h"

namespace shoal {
namespace {

TEST(DistinctRows, EachOnce) {
  const Random random({1});
  Matrix x(500, 3);
  for (Index i = 0; i < 500; ++i)
    for (Index j = 0; j < 3; ++j) x[i][j] = static_cast<float>(random.below(i * 3 + j, 4));
  const Distinct found = distinct_rows(x);
  ASSERT_EQ(found.of.size(), 500u);
  EXPECT_EQ(found.rows.rows(), 64u);
  const Matrix rows = found.rows.to_matrix();
  for (Index i = 0; i < 500; ++i) EXPECT_TRUE(std::ranges::equal(rows[found.of[i]], x[i])) << i;
  EXPECT_EQ(found.of[0], 0u) << "in the order in which they come";
  for (Index a = 0; a < rows.rows(); ++a)
    for (Index b = 0; b < a; ++b) EXPECT_FALSE(std::ranges::equal(rows[a], rows[b]));
}

TEST(DistinctRows, AllDifferentAndAllEqual) {
  Matrix x(3, 2);
  EXPECT_EQ(distinct_rows(x).rows.rows(), 1u);
  x[1][0] = 1, x[2][1] = 1;
  EXPECT_EQ(distinct_rows(x).of, (std::vector<Index>{0, 1, 2}));
  const Matrix one(1, 1);
  EXPECT_EQ(distinct_rows(one).of, std::vector<Index>{0});
}

}  // namespace
}  // namespace shoal
