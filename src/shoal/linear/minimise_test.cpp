#include "shoal/linear/minimise.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "shoal/core/error.h"
#include "tests/error_of.h"

namespace shoal {
namespace {

/// (1 - x)^2 + 100 (y - x^2)^2: a bent valley with its minimum 0 at (1, 1).
Slope rosenbrock(std::span<const double> at, std::span<double> gradient) {
  const double x = at[0], y = at[1], off = y - x * x;
  gradient[0] = -2 * (1 - x) - 400 * x * off;
  gradient[1] = 200 * off;
  return {(1 - x) * (1 - x) + 100 * off * off, std::max(std::abs(gradient[0]), std::abs(gradient[1]))};
}

TEST(Minimise, FindsTheEndOfABentValley) {
  std::vector<double> x{-1.2, 1};
  const Minimum found = minimise(x, rosenbrock, {.tol = 1e-9});
  EXPECT_TRUE(found.converged);
  EXPECT_LE(found.steepness, 1e-9);
  EXPECT_NEAR(x[0], 1, 1e-8);
  EXPECT_NEAR(x[1], 1, 1e-8);
  EXPECT_LT(found.evaluations, 100u);
}

TEST(Minimise, SameBitsTwice) {
  std::vector<double> x{-1.2, 1}, y = x;
  minimise(x, rosenbrock, {.tol = 1e-3});
  minimise(y, rosenbrock, {.tol = 1e-3});
  EXPECT_EQ(x, y);
}

TEST(Minimise, StopsAtTheMostEvaluationsWithTheLowestPoint) {
  std::vector<double> x{-1.2, 1};
  std::vector<double> seen;
  const auto watched = [&](std::span<const double> at, std::span<double> gradient) {
    const Slope s = rosenbrock(at, gradient);
    seen.push_back(s.value);
    return s;
  };
  const Minimum found = minimise(x, watched, {.tol = 1e-12, .max_evaluations = 7});
  EXPECT_FALSE(found.converged);
  EXPECT_EQ(seen.size(), 7u);
  EXPECT_EQ(found.value, *std::ranges::min_element(seen));
  std::vector<double> gradient(2);
  EXPECT_EQ(rosenbrock(x, gradient).value, found.value);
}

TEST(Minimise, AStartAtTheMinimumIsTheAnswer) {
  std::vector<double> x{1, 1};
  const Minimum found = minimise(x, rosenbrock);
  EXPECT_EQ(found.evaluations, 1u);
  EXPECT_EQ(x, (std::vector<double>{1, 1}));
}

/// A bowl whose value is rounded to float: near the minimum no step goes down any more.
TEST(Minimise, ARoundedObjectiveEndsWhereItIsFlat) {
  std::vector<double> x(20, 3.0);
  const auto rounded = [](std::span<const double> at, std::span<double> gradient) {
    double sum = 1000, steepest = 0;
    for (Index i = 0; i < at.size(); ++i) {
      const double weight = static_cast<double>(i + 1);
      sum += weight * (at[i] - 1) * (at[i] - 1);
      gradient[i] = static_cast<float>(2 * weight * (at[i] - 1)) + 1e-6;
      steepest = std::max(steepest, std::abs(gradient[i]));
    }
    return Slope{static_cast<double>(static_cast<float>(sum)), steepest};
  };
  const Minimum found = minimise(x, rounded, {.tol = 0});
  EXPECT_TRUE(found.converged);
  EXPECT_LT(found.evaluations, 300u);
  for (const double v : x) EXPECT_NEAR(v, 1, 0.01);
}

TEST(Minimise, GoesBackFromWhereTheObjectiveIsNotFinite) {
  std::vector<double> x{0.5};  // x - log x: NaN for negative x, minimum at 1
  const auto barrier = [](std::span<const double> at, std::span<double> gradient) {
    gradient[0] = 1 - 1 / at[0];
    const double value = at[0] > 0 ? at[0] - std::log(at[0]) : std::numeric_limits<double>::quiet_NaN();
    return Slope{value, std::abs(gradient[0])};
  };
  minimise(x, barrier, {.tol = 1e-8});
  EXPECT_NEAR(x[0], 1, 1e-6);
}

TEST(Minimise, RefusesWhatItCannotDo) {
  std::vector<double> none, x{1, 2};
  EXPECT_THROW(minimise(none, rosenbrock), Error);
  EXPECT_THROW(minimise(x, rosenbrock, {.tol = -1}), Error);
  EXPECT_THROW(minimise(x, rosenbrock, {.max_evaluations = 0}), Error);
  EXPECT_THROW(minimise(x, rosenbrock, {.history = 0}), Error);
  const auto infinite = [](std::span<const double>, std::span<double>) {
    return Slope{std::numeric_limits<double>::infinity(), 1};
  };
  EXPECT_THROW(minimise(x, infinite), Error);
  const auto stopped = [](std::span<const double>, std::span<double>) -> Slope {
    throw Error(Fault::cancelled, "stopped");
  };
  expect_error(Fault::cancelled, "stopped", [&] { minimise(x, stopped); });
}

}  // namespace
}  // namespace shoal
