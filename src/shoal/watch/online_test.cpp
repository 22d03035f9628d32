#include "shoal/watch/online.h"

#include <gtest/gtest.h>

#include <cmath>

#include "shoal/core/random.h"
#include "tests/error_of.h"
#include "tests/matrices.h"

namespace shoal {
namespace {

/// Rows around four points, of which the last has the given share.
Matrix mixed(Index rows, double share, std::uint64_t seed) {
  const Random random({seed}), points({1});
  Matrix out(rows, 8);
  for (Index i = 0; i < rows; ++i) {
    const Index group = random.uniform(i) < share ? 3 : random.below(5000000 + i, 3);
    for (Index j = 0; j < 8; ++j)
      out[i][j] = static_cast<float>(points.normal(group * 8 + j) + 0.5 * random.normal(1000000 + i * 8 + j));
  }
  return out;
}

/// The row of the first alarm, or 0.
Index first_alarm(OnlineMethod method, const Matrix& reference, const Matrix& stream, std::uint64_t seed) {
  OnlineOptions options{
      .method = method, .false_alarm = 0.05, .run_length = 5000, .n_clusters = 4, .seed = Seed{seed}};
  OnlineDrift watch = OnlineDrift::fit(Rows(reference), options, {});
  for (const auto& step : watch.update(Rows(stream), {}))
    if (step.alarm) return step.row;
  return 0;
}

TEST(CusumThreshold, KeepsItsRunLength) {
  for (const double run_length : {300.0, 3000.0}) {
    const double threshold = cusum_threshold(1, run_length, Seed{1});
    const Random random({77});
    double w = 0, alarms = 0;
    constexpr Index kRows = 3000000;
    for (Index i = 0; i < kRows; ++i) {
      w = std::max(0.0, w + std::log(1 + (random.uniform(i) - 0.5)));
      if (w >= threshold) w = 0, ++alarms;
    }
    EXPECT_NEAR(kRows / alarms / run_length, 1, 0.12) << run_length;
  }
}

TEST(OnlineDrift, KeepsItsFalseAlarmRate) {
  Index martingale = 0, cusum = 0;
  constexpr Index kStreams = 60, kCusum = 30, kRows = 500;
  for (Index t = 0; t < kStreams; ++t) {
    const Matrix reference = mixed(200, 0.2, 100 + t), stream = mixed(kRows, 0.2, 900 + t);
    martingale += first_alarm(OnlineMethod::martingale, reference, stream, t) > 0;
    if (t < kCusum) cusum += first_alarm(OnlineMethod::cusum, reference, stream, t) > 0;
  }
  EXPECT_LE(martingale, 8u) << "5% of 60 are 3; 9 or more have a chance below 0.005";
  EXPECT_LE(cusum, 9u) << "30 x 500 rows at one in 5,000: 3 are expected at most";
}

TEST(OnlineDrift, FindsAChange) {
  for (const OnlineMethod method : {OnlineMethod::martingale, OnlineMethod::cusum}) {
    const Matrix reference = mixed(400, 0.1, 5);
    Matrix stream = mixed(1200, 0.1, 6);
    const Matrix later = mixed(600, 0.6, 7);  // the last group grows
    for (Index i = 0; i < 600; ++i) std::ranges::copy(later[i], stream[600 + i].begin());
    const Index row = first_alarm(method, reference, stream, 3);
    EXPECT_GT(row, 600u) << name_of(method);
    EXPECT_LT(row, 800u) << name_of(method);
    // What was never seen is found at once.
    Matrix novel = mixed(100, 0.1, 8);
    for (Index i = 0; i < 100; ++i)
      for (Index j = 0; j < 8; ++j) novel[i][j] = -novel[i][j] * (j % 2 ? 1.0f : -3.0f);
    EXPECT_GT(first_alarm(method, reference, novel, 3), 0u) << name_of(method);
  }
}

TEST(OnlineDrift, SameForAnyBatches) {
  const Matrix reference = mixed(100, 0.2, 1), stream = mixed(50, 0.5, 2);
  OnlineDrift whole = OnlineDrift::fit(Rows(reference), {}, {}),
              parts = OnlineDrift::fit(Rows(reference), {}, {});
  const auto steps = whole.update(Rows(stream), {});
  for (Index i = 0; i < 50; ++i) {
    const auto step = parts.update(Rows(stream.view().slice(i, 1)), {});
    EXPECT_EQ(step.front().statistic, steps[i].statistic);
    EXPECT_EQ(step.front().row, i + 1);
  }
}

TEST(OnlineDrift, Refusals) {
  expect_error(Fault::data, "at least 20", [] { OnlineDrift::fit(Rows(Matrix(19, 3)), {}, {}); });
  OnlineDrift watch = OnlineDrift::fit(Rows(mixed(40, 0.2, 1)), {}, {});
  EXPECT_EQ(fault_of([&] { watch.update(Rows(Matrix(1, 3)), {}); }), Fault::data);
}

}  // namespace
}  // namespace shoal
