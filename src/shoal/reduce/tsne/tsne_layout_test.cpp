#include "shoal/reduce/tsne/tsne_layout_impl.h"

#include <gtest/gtest.h>

#include <cmath>

#include "shoal/core/random.h"
#include "shoal/reduce/tsne/tsne_affinities_impl.h"

namespace shoal {
namespace {

NeighbourGraph affinities_of(Index rows) {
  const Random random(Seed{7});
  Matrix x(rows, 5);
  for (Index i = 0; i < rows; ++i)
    for (Index j = 0; j < 5; ++j)
      x[i][j] =
          static_cast<float>(random.uniform(1'000'000 + i % 4 * 5 + j) + 0.3 * random.uniform(i * 5 + j));
  return joint_affinities(nearest_neighbours(x, 15, Metric::euclidean, {}), Metric::euclidean, 5, {});
}

Matrix positions_of(Index rows, float extent) {
  const Random random(Seed{8});
  Matrix y(rows, 2);
  for (Index i = 0; i < 2 * rows; ++i) y.data()[i] = extent * static_cast<float>(random.uniform(i) - 0.5);
  return y;
}

// The definition, in double, with exaggerated affinities (they then are no distribution, but the slope is
// right).
double divergence(const NeighbourGraph& p, const std::vector<double>& y, double exaggeration = 1) {
  const Index n = p.points();
  const auto square = [&](Index i, Index j) {
    return std::pow(y[2 * i] - y[2 * j], 2) + std::pow(y[2 * i + 1] - y[2 * j + 1], 2);
  };
  double sum_q = 0, sum_p = 0, result = 0;
  for (Index i = 0; i < n; ++i)
    for (Index j = 0; j < n; ++j)
      if (i != j) sum_q += 1 / (1 + square(i, j));
  for (Index i = 0; i < n; ++i)
    for (Index e = p.first[i]; e < p.first[i + 1]; ++e) {
      result += exaggeration * p.weight[e] * std::log(p.weight[e] * (1 + square(i, p.id[e])));
      sum_p += p.weight[e];
    }
  return result + sum_p * std::log(sum_q);
}

std::vector<double> doubles(const Matrix& y) { return {y.data(), y.data() + y.rows() * 2}; }

TEST(OptimiseTsne, ReturnsTheDivergence) {
  for (const Index rows : {Index{80}, Index{1700}}) {  // pair by pair, and on the grid
    const NeighbourGraph p = affinities_of(rows);
    Matrix y = positions_of(rows, 30);
    EXPECT_NEAR(optimise_tsne(p, {}, {}, y.span(), {}), divergence(p, doubles(y)), rows == 80 ? 1e-5 : 1e-3);
  }
}

// The first step of gradient descent, divided by rate and first gain, is -1/4 of the gradient.
TEST(OptimiseTsne, StepsAlongTheGradient) {
  constexpr float kRate = 1, kGain = 1.2f;
  constexpr double kNudge = 1e-4;
  for (const Index rows : {Index{80}, Index{1700}})
    for (const float exaggeration : {1.0f, 12.0f}) {
      const NeighbourGraph p = affinities_of(rows);
      Matrix start = positions_of(rows, 4), moved = start;
      const TsnePhase phase{.n_iter = 1, .exaggeration = exaggeration, .learning_rate = kRate, .momentum = 0};
      optimise_tsne(p, std::span(&phase, 1), {}, moved.span(), {});
      double mean[2] = {0, 0};  // of the start, which is taken away from what comes out
      for (Index i = 0; i < rows; ++i) mean[0] += start[i][0], mean[1] += start[i][1];
      double off = 0, all = 0;
      for (Index at = 0; at < 2 * rows; at += rows / 40) {
        std::vector<double> y = doubles(start);
        y[at] += kNudge;
        const double above = divergence(p, y, exaggeration);
        y[at] -= 2 * kNudge;
        const double slope = (above - divergence(p, y, exaggeration)) / (2 * kNudge) / 4;
        const double step = moved.data()[at] - (start.data()[at] - mean[at % 2] / static_cast<double>(rows));
        const double got = -step / (kRate * kGain);
        off += (got - slope) * (got - slope);
        all += slope * slope;
      }
      EXPECT_LT(std::sqrt(off / all), 0.01) << rows << ' ' << exaggeration;
    }
}

TEST(OptimiseTsne, NoStepIsLongerThanFive) {
  const NeighbourGraph p = affinities_of(80);
  Matrix start = positions_of(80, 1), moved = start;
  const TsnePhase phase{.n_iter = 1, .exaggeration = 1, .learning_rate = 1e9f, .momentum = 0};
  optimise_tsne(p, std::span(&phase, 1), {}, moved.span(), {});
  for (Index i = 0; i < 160; ++i) EXPECT_LT(std::abs(moved.data()[i]), 7);
}

TEST(OptimiseTsne, DivergenceFalls) {
  for (const Index rows : {Index{200}, Index{1700}}) {
    const NeighbourGraph p = affinities_of(rows);
    Matrix y = positions_of(rows, 1e-4f);
    const auto rate = static_cast<float>(rows);
    float before = optimise_tsne(p, {}, {}, y.span(), {});
    for (const TsnePhase& phase : {TsnePhase{100, 12, rate / 12, 0.5f}, TsnePhase{100, 1, rate, 0.8f},
                                   TsnePhase{100, 1, rate, 0.8f}}) {
      const float after = optimise_tsne(p, std::span(&phase, 1), {}, y.span(), {});
      EXPECT_LT(after, before);
      before = after;
    }
  }
}

}  // namespace
}  // namespace shoal
