#include "shoal/watch/lifetime.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "shoal/core/random.h"
#include "tests/error_of.h"
#include "tests/matrices.h"

namespace shoal {
namespace {

/// Losses at ages 1..n around a curve, with residuals that hang together.
template <class Curve>
std::vector<LossAtAge> losses(Index n, const Curve& curve, double noise, std::uint64_t seed, double f = 0.3) {
  const Random random({seed});
  std::vector<LossAtAge> out;
  double e = 0;
  for (Index i = 1; i <= n; ++i) {
    const double z = noise * random.normal(i);
    e = i == 1 ? z : f * e + std::sqrt(1 - f * f) * z;
    out.push_back({static_cast<double>(i), curve(static_cast<double>(i)) + e});
  }
  return out;
}

TEST(FitLifetime, ExactOnALine) {
  const auto exact = losses(
      20, [](double age) { return 0.01 * age; }, 0, 1);
  const Lifetime found = fit_lifetime(exact, 0.05, 0.9, Seed{1});
  EXPECT_EQ(found.answer, LifetimeAnswer::estimated);
  EXPECT_NEAR(found.age.value(), 5, 1e-9);
  EXPECT_NEAR(found.low, 5, 0.3);
  EXPECT_NEAR(found.high.value(), 5, 0.3);
  EXPECT_NEAR(found.loss_at, 0.2, 1e-9);
  // A curve that levels off below the loss.
  const auto low = losses(
      20, [](double age) { return 0.04 * (1 - std::exp(-age / 4)); }, 0.001, 1);
  EXPECT_EQ(fit_lifetime(low, 0.05, 0.9, Seed{1}).answer, LifetimeAnswer::estimated);
  EXPECT_FALSE(fit_lifetime(low, 0.05, 0.9, Seed{1}).age.has_value());
  EXPECT_FALSE(fit_lifetime(low, 0.05, 0.9, Seed{1}).high.has_value());
  // A loss that is never reached.
  EXPECT_EQ(fit_lifetime(exact, 0.5, 0.9, Seed{1}).answer, LifetimeAnswer::not_within_seen);
}

TEST(FitLifetime, CoversTheTruth) {
  // A nominal 90%: none, linear, levelling off. Of the pilot: 1.0, .84 to .96, .92 to 1.0.
  constexpr Index kTimes = 100;
  constexpr double kNever = std::numeric_limits<double>::infinity();
  const auto covered = [&](const auto& curve, double loss, double truth) {
    Index out = 0;
    for (Index t = 0; t < kTimes; ++t) {
      const Lifetime found = fit_lifetime(losses(20, curve, 0.01, 1000 + t), loss, 0.9, Seed{t});
      out += found.low <= truth && (!found.high || truth <= *found.high);
    }
    return out;
  };
  EXPECT_GE(covered([](double) { return 0.0; }, 0.05, kNever), 97u);
  EXPECT_GE(covered([](double age) { return 0.004 * age; }, 0.05, 12.5), 82u);
  EXPECT_GE(
      covered([](double age) { return 0.08 * (1 - std::exp(-age / 6)); }, 0.05, -6 * std::log(1 - 5.0 / 8)),
      82u);
}

TEST(FitLifetime, SaysWhenItDoesNotKnow) {
  EXPECT_EQ(fit_lifetime({}, 0.05, 0.9, Seed{1}).answer, LifetimeAnswer::not_enough_evidence);
  const auto line = [](double age) { return 0.004 * age; };
  EXPECT_EQ(fit_lifetime(losses(4, line, 0, 1), 0.05, 0.9, Seed{1}).answer,
            LifetimeAnswer::not_enough_evidence);
  Index unknown = 0, none = 0;
  for (Index t = 0; t < 20; ++t) {
    unknown += fit_lifetime(losses(
                                12, [](double) { return 0.0; }, 0.2, 50 + t),
                            0.05, 0.9, Seed{t})
                   .answer == LifetimeAnswer::not_enough_evidence;
    none += fit_lifetime(losses(
                             20, [](double) { return 0.0; }, 0.005, 50 + t),
                         0.05, 0.9, Seed{t})
                .answer == LifetimeAnswer::not_within_seen;
  }
  EXPECT_GE(unknown, 16u);
  EXPECT_EQ(none, 20u);
  expect_error(Fault::argument, "ascending", [] { fit_lifetime({{1, 0}, {1, 0}}, 0.05, 0.9, Seed{1}); });
  expect_error(Fault::argument, "above 0", [] { fit_lifetime({{1, 0}}, 0, 0.9, Seed{1}); });
}

/// Windows of rows around six points that wander by `speed` from window to window.
struct Stream {
  Matrix x;
  Labels window, labels;
  std::vector<double> starts;
};
Stream stream(Index windows, Index rows, double speed, std::uint64_t seed) {
  const Random random({seed});
  Stream out{Matrix(windows * rows, 16), {{}, windows}, {{}, 6}, {}};
  std::vector<double> points(6 * 16);
  for (Index i = 0; i < points.size(); ++i) points[i] = random.normal(i);
  for (Index w = 0; w < windows; ++w) {
    out.starts.push_back(static_cast<double>(w));
    for (Index r = 0; r < rows; ++r) {
      const Index i = w * rows + r, group = r % 6;
      out.window.of.push_back(static_cast<Label>(w));
      out.labels.of.push_back(static_cast<Label>(group));
      for (Index j = 0; j < 16; ++j)
        out.x[i][j] = static_cast<float>(points[group * 16 + j] + 0.6 * random.normal(10000 + i * 16 + j));
    }
    for (Index i = 0; i < points.size(); ++i)
      points[i] += speed * random.normal(5000000 + w * points.size() + i);
  }
  return out;
}

TEST(LifetimeOf, WanderingTextsAgeAndStillOnesDoNot) {
  const Stream still = stream(12, 90, 0, 3), wandering = stream(12, 90, 0.35, 3);
  LifetimeOptions options;
  options.n_clusters = 6;
  const LifetimeResult a = lifetime(Rows(still.x), still.window, still.starts, still.labels, options, {});
  const LifetimeResult b =
      lifetime(Rows(wandering.x), wandering.window, wandering.starts, wandering.labels, options, {});
  ASSERT_EQ(a.curves.size(), 4u);
  EXPECT_EQ(a.curves[0].measure, LifetimeMeasure::accuracy);
  EXPECT_EQ(a.windows, 12u);
  EXPECT_NE(a.curves[0].lifetime.answer, LifetimeAnswer::estimated);
  EXPECT_GT(b.curves[0].losses.back().loss, a.curves[0].losses.back().loss);
  EXPECT_EQ(b.curves[1].lifetime.answer, LifetimeAnswer::estimated);
  EXPECT_GT(b.curves[1].losses.back().loss, 0.2);
  EXPECT_LT(std::abs(a.curves[1].losses.back().loss), 0.1);
  EXPECT_EQ(b.curves[0].losses.front().age, 1) << "windows directly after have no regret by definition";
  // Without labels.
  EXPECT_EQ(lifetime(Rows(still.x), still.window, still.starts, {}, options, {}).curves.size(), 3u);
}

TEST(LifetimeOf, WindowsOfEqualTextsAreLeftOut) {
  Stream s = stream(8, 60, 0.2, 3);
  for (Index i = 2 * 60; i < 3 * 60; ++i) std::ranges::copy(s.x[120], s.x[i].begin());
  LifetimeOptions options;
  options.n_clusters = 6;
  const LifetimeResult found = lifetime(Rows(s.x), s.window, s.starts, s.labels, options, {});
  EXPECT_EQ(found.windows, 7u);
  EXPECT_EQ(found.without_model, 1u);
  EXPECT_FALSE(found.curves.empty());
  Stream three = stream(3, 60, 0.2, 3);
  for (Index i = 60; i < 120; ++i) std::ranges::copy(three.x[60], three.x[i].begin());
  expect_error(Fault::data, "1 have not",
               [&] { lifetime(Rows(three.x), three.window, three.starts, {}, options, {}); });
}

TEST(LifetimeOf, Refusals) {
  const Stream s = stream(3, 19, 0, 1);
  expect_error(Fault::data, "at least 20 rows", [&] { lifetime(Rows(s.x), s.window, s.starts, {}, {}, {}); });
  const Stream two = stream(2, 40, 0, 1);
  expect_error(Fault::data, "3 are needed",
               [&] { lifetime(Rows(two.x), two.window, two.starts, {}, {}, {}); });
}

}  // namespace
}  // namespace shoal
