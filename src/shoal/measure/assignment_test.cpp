#include "shoal/measure/assignment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "shoal/core/random.h"

namespace shoal {
namespace {

double worth_of(const Matrix& worth, const std::vector<std::optional<Index>>& of) {
  double sum = 0;
  std::vector<char> taken(worth.cols());
  for (Index r = 0; r < worth.rows(); ++r) {
    if (!of[r]) continue;
    EXPECT_FALSE(std::exchange(taken[*of[r]], 1));
    sum += worth[r][*of[r]];
  }
  EXPECT_EQ(static_cast<Index>(std::ranges::count(taken, 1)), std::min(worth.rows(), worth.cols()));
  return sum;
}

/// Every way to give rows columns, tried.
double best_by_trying(const Matrix& worth) {
  std::vector<Index> columns(std::max(worth.rows(), worth.cols()));
  std::iota(columns.begin(), columns.end(), Index{0});
  double best = 0;
  do {
    double sum = 0;
    for (Index r = 0; r < worth.rows(); ++r)
      if (columns[r] < worth.cols()) sum += worth[r][columns[r]];
    best = std::max(best, sum);
  } while (std::ranges::next_permutation(columns).found);
  return best;
}

TEST(BestAssignment, IsAsGoodAsTryingAll) {
  const Random random({3});
  std::uint64_t at = 0;
  for (const auto& [rows, cols] : {std::pair<Index, Index>{1, 1}, {4, 4}, {3, 6}, {6, 3}, {6, 6}, {1, 5}})
    for (int turn = 0; turn < 20; ++turn) {
      Matrix worth(rows, cols);
      for (Index r = 0; r < rows; ++r)
        for (Index c = 0; c < cols; ++c)
          worth[r][c] = turn % 2 ? static_cast<float>(random.uniform(++at))
                                 : static_cast<float>(random.below(++at, 3));  // with ties
      EXPECT_NEAR(worth_of(worth, best_assignment(worth.view())), best_by_trying(worth), 1e-6);
    }
}

TEST(BestAssignment, OfNothingIsNothing) {
  EXPECT_TRUE(best_assignment({}).empty());
  const Matrix no_columns(2, 0);
  EXPECT_EQ(best_assignment(no_columns.view()).size(), 2u);
}

}  // namespace
}  // namespace shoal
