#include "shoal/train/loss.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "../../../tests/error_of.h"
#include "../../../tests/matrices.h"
#include "shoal/core/error.h"

namespace shoal {
namespace {

/// Columns of normal draws, and targets of the kind that a loss needs.
struct Drawn {
  std::vector<Matrix> columns;
  Matrix targets;

  Drawn(LossKind kind, Index rows, Index dims, std::uint64_t seed) {
    const LossNeeds needs = needs_of(kind);
    const Index n = needs.most_columns == 0 ? needs.least_columns + 1 : needs.most_columns;
    for (Index c = 0; c < n; ++c) columns.push_back(scattered(rows, dims, 4, seed + 7 * c, 0.8f));
    const Random random({seed + 1000});
    const Index width = needs.targets == LossTargets::none              ? 0
                        : needs.targets == LossTargets::teacher_vectors ? dims
                        : needs.targets == LossTargets::teacher_scores  ? n - 1
                                                                        : 1;
    targets = Matrix(width == 0 ? 0 : rows, width);
    for (Index i = 0; i < targets.rows() * width; ++i) {
      float& to = targets.data()[i];
      if (needs.targets == LossTargets::binary)
        to = static_cast<float>(random.below(i, 2));
      else if (needs.targets == LossTargets::label)
        to = static_cast<float>(random.below(i, 4));
      else
        to = static_cast<float>(random.uniform(i));
    }
  }
  LossBatch batch() const {
    LossBatch out;
    for (const Matrix& column : columns) out.columns.push_back(column.view());
    if (targets.rows() > 0) out.targets = targets.view();
    return out;
  }
};

std::vector<LossKind> all_losses() {
  std::vector<LossKind> out;
  for (Index i = 0; i < kNamesOf<LossKind>.size(); ++i) out.push_back(static_cast<LossKind>(i));
  return out;
}

/// The loss along a direction of all columns against its slopes there.
void check_slopes(const LossOptions& options, Drawn drawn, double tolerance) {
  SCOPED_TRACE(std::string(name_of(options.kind)) + " " + name_of(distance_of(options)) + " " +
               name_of(options.directions) + " " + options.matryoshka_dims);
  std::vector<Matrix> slopes, unused;
  loss(options, drawn.batch(), slopes);
  for (Index c = 0; c < slopes.size(); ++c) {
    const Random random({c + 50});
    const Matrix kept = drawn.columns[c];
    double expected = 0, losses[2], size = 0;
    const float step = 1e-3f;
    for (const int side : {0, 1}) {
      for (Index i = 0; i < kept.rows() * kept.cols(); ++i)
        drawn.columns[c].data()[i] =
            kept.data()[i] + (side == 0 ? -step : step) * static_cast<float>(random.normal(i));
      losses[side] = loss(options, drawn.batch(), unused);
    }
    // What was really walked, as floats are rounded.
    for (Index i = 0; i < kept.rows() * kept.cols(); ++i) {
      const double by = static_cast<double>(slopes[c].data()[i]), at = static_cast<double>(kept.data()[i]);
      const float d = static_cast<float>(random.normal(i));
      const double walked =
          static_cast<double>(kept.data()[i] + step * d) - static_cast<double>(kept.data()[i] - step * d);
      expected += by * walked;
      size += std::abs(by * walked);
      EXPECT_TRUE(std::isfinite(at));
    }
    EXPECT_NEAR(losses[1] - losses[0], expected, tolerance * size) << "column " << c;
    drawn.columns[c] = kept;
  }
}

TEST(Loss, SlopesAreDifferencesOfLosses) {
  for (const LossKind kind : all_losses()) check_slopes({.kind = kind}, Drawn(kind, 17, 9, 3), 2e-4);
}

// torch has no such loss: double differences of the formula itself.
TEST(Loss, SquaredTripletIsItsFormula) {
  const Drawn drawn(LossKind::triplet, 13, 8, 5);
  for (const double margin : {0.5, 2.0, 40.0}) {
    const auto squared = [](std::span<const double> a, std::span<const double> b) {
      double sum = 0;
      for (Index i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
      return sum;
    };
    std::vector<std::vector<double>> x(3);
    for (Index c = 0; c < 3; ++c)
      x[c].assign(drawn.columns[c].data(), drawn.columns[c].data() + Index{13} * 8);
    const auto formula = [&] {
      double sum = 0;
      for (Index i = 0; i < 13; ++i) {
        const auto row = [&](Index c) { return std::span(x[c]).subspan(i * 8, 8); };
        sum += std::max(0.0, squared(row(0), row(1)) - squared(row(0), row(2)) + margin);
      }
      return sum / 13;
    };
    std::vector<Matrix> slopes;
    const double value = loss({.kind = LossKind::triplet, .margin = margin}, drawn.batch(), slopes);
    EXPECT_NEAR(value, formula(), 1e-12 * value);
    EXPECT_GT(value, 0);
    for (Index c = 0; c < 3; ++c)
      for (Index i = 0; i < x[c].size(); ++i) {
        const double kept = x[c][i], step = 1e-6;
        x[c][i] = kept + step;
        const double up = formula();
        x[c][i] = kept - step;
        const double down = formula();
        x[c][i] = kept;
        EXPECT_NEAR((up - down) / (2 * step), static_cast<double>(slopes[c].data()[i]), 1e-7);
      }
  }
}

TEST(Loss, BatchTripletsAreThoseOfAllLoops) {
  const Drawn drawn(LossKind::batch_all, 23, 6, 8);
  const Matrix& x = drawn.columns[0];
  const auto d = [&](Index i, Index j) {
    double sum = 0;
    for (Index k = 0; k < 6; ++k) {
      const double gap = static_cast<double>(x[i][k]) - static_cast<double>(x[j][k]);
      sum += gap * gap;
    }
    return sum;
  };
  double all = 0, semi = 0;
  Index triplets = 0, pairs = 0;
  const double margin = 3;
  for (Index i = 0; i < 23; ++i)
    for (Index j = 0; j < 23; ++j) {
      if (i == j || drawn.targets[i][0] != drawn.targets[j][0]) continue;
      double beyond = INFINITY, most = 0;
      for (Index k = 0; k < 23; ++k) {
        if (drawn.targets[i][0] == drawn.targets[k][0]) continue;
        if (d(i, k) > d(i, j)) beyond = std::min(beyond, d(i, k));
        most = std::max(most, d(i, k));
        if (d(i, j) - d(i, k) + margin <= 0) continue;
        all += d(i, j) - d(i, k) + margin;
        ++triplets;
      }
      semi += std::max(0.0, d(i, j) - (std::isfinite(beyond) ? beyond : most) + margin);
      ++pairs;
    }
  std::vector<Matrix> slopes;
  EXPECT_NEAR(loss({.kind = LossKind::batch_all, .margin = margin}, drawn.batch(), slopes),
              all / static_cast<double>(triplets), 1e-5);
  EXPECT_NEAR(loss({.kind = LossKind::batch_semi_hard, .margin = margin}, drawn.batch(), slopes),
              semi / static_cast<double>(pairs), 1e-5);
}

TEST(Loss, SameBitsForAnyThreads) {
  for (const LossKind kind : all_losses())
    for (const LossDirections directions : {LossDirections::one_way, LossDirections::all}) {
      if (directions == LossDirections::all && kind != LossKind::mnrl) continue;
      SCOPED_TRACE(name_of(kind));
      const Drawn drawn(kind, 333, 24, 2);
      const LossOptions options{.kind = kind, .directions = directions, .matryoshka_dims = "24,7"};
      std::vector<Matrix> one, many;
      const double value =
          loss(options, drawn.batch(), one, {.threads = 1, .stop = {}, .progress = {}, .pool = {}});
      for (const unsigned threads : {2u, 5u}) {
        EXPECT_EQ(
            loss(options, drawn.batch(), many, {.threads = threads, .stop = {}, .progress = {}, .pool = {}}),
            value);
        EXPECT_EQ(many, one);
      }
    }
}

TEST(Loss, BlocksOfRowsAreOneBatch) {  // 130 rows: three blocks
  const Drawn drawn(LossKind::mnrl, 130, 12, 4);
  std::vector<Matrix> slopes;
  const double value = loss({.kind = LossKind::mnrl}, drawn.batch(), slopes);
  const auto unit = [](std::span<const float> x) {
    std::vector<double> out(x.begin(), x.end());
    double sum = 0;
    for (const double v : out) sum += v * v;
    for (double& v : out) v /= std::sqrt(sum);
    return out;
  };
  double mean = 0;
  for (Index i = 0; i < 130; ++i) {
    const std::vector<double> a = unit(drawn.columns[0][i]);
    double sum = 0, own = 0;
    for (Index c = 1; c < drawn.columns.size(); ++c)
      for (Index j = 0; j < 130; ++j) {
        const std::vector<double> b = unit(drawn.columns[c][j]);
        double cosine = 0;
        for (Index k = 0; k < 12; ++k) cosine += a[k] * b[k];
        sum += std::exp(20 * cosine);
        if (c == 1 && i == j) own = 20 * cosine;
      }
    mean += (std::log(sum) - own) / 130;
  }
  EXPECT_NEAR(value, mean, 1e-6 * mean);
  check_slopes({.kind = LossKind::mnrl, .directions = LossDirections::all}, drawn, 2e-4);
}

TEST(Loss, VectorsOfZerosHaveNoSlope) {
  for (const LossKind kind : all_losses()) {
    SCOPED_TRACE(name_of(kind));
    Drawn drawn(kind, 6, 5, 9);
    for (Matrix& column : drawn.columns)
      for (const Index row : {Index{0}, Index{3}}) std::ranges::fill(column[row], 0.0f);
    for (const char* dims : {"", "5,2"}) {
      std::vector<Matrix> slopes;
      EXPECT_TRUE(std::isfinite(loss({.kind = kind, .matryoshka_dims = dims}, drawn.batch(), slopes)));
      for (const Matrix& slope : slopes)
        for (Index i = 0; i < slope.rows() * slope.cols(); ++i) EXPECT_TRUE(std::isfinite(slope.data()[i]));
    }
  }
}

TEST(Loss, IdenticalTextsAreFinite) {
  for (const LossKind kind : all_losses()) {
    SCOPED_TRACE(name_of(kind));
    Drawn drawn(kind, 6, 5, 9);
    for (Matrix& column : drawn.columns)
      for (Index i = 0; i < 6; ++i) std::ranges::fill(column[i], 0.3f);
    for (const LossDistance distance : {LossDistance::euclidean, LossDistance::cosine}) {
      std::vector<Matrix> slopes;
      EXPECT_TRUE(std::isfinite(loss({.kind = kind, .distance = distance}, drawn.batch(), slopes)));
      for (const Matrix& slope : slopes)
        for (Index i = 0; i < 30; ++i) EXPECT_TRUE(std::isfinite(slope.data()[i]));
    }
  }
}

TEST(Loss, IsNanIfAVectorIs) {
  for (const LossKind kind : all_losses()) {
    Drawn drawn(kind, 6, 5, 9);
    drawn.columns.back()[4][2] = kind == LossKind::mse ? INFINITY : NAN;
    std::vector<Matrix> slopes;
    EXPECT_TRUE(std::isnan(loss({.kind = kind}, drawn.batch(), slopes)));
    for (const Matrix& slope : slopes) EXPECT_EQ(slope, Matrix(6, 5));
  }
}

TEST(Loss, ABatchOfOneRowIsFinite) {
  for (const LossKind kind : all_losses()) {
    const Drawn drawn(kind, 1, 5, 9);
    std::vector<Matrix> slopes;
    EXPECT_TRUE(std::isfinite(loss({.kind = kind}, drawn.batch(), slopes))) << name_of(kind);
  }
}

TEST(Loss, Names) {
  LossOptions options;
  for (const LossKind kind : all_losses()) {
    set_loss(options, name_of(kind));
    EXPECT_EQ(options.kind, kind);
    set_loss(options, class_name_of(kind));
    EXPECT_EQ(options.kind, kind);
  }
  set_loss(options, "CachedMultipleNegativesRankingLoss");
  EXPECT_EQ(options.kind, LossKind::mnrl);
  EXPECT_EQ(options.directions, LossDirections::one_way);
  set_loss(options, "CachedMultipleNegativesSymmetricRankingLoss");
  EXPECT_EQ(options.directions, LossDirections::symmetric);
  expect_error(Fault::argument, "mnrl (MultipleNegativesRankingLoss)",
               [&] { set_loss(options, "CachedMSELoss"); });
}

TEST(Loss, RefusesAMarginThatCannotBeMet) {
  const auto check = [](LossKind kind, LossDistance distance, double margin, bool unit) {
    check_margin({.kind = kind, .distance = distance, .margin = margin}, unit);
  };
  using enum LossDistance;
  for (const LossKind kind :
       {LossKind::triplet, LossKind::batch_hard, LossKind::batch_semi_hard, LossKind::batch_all}) {
    expect_error(Fault::argument, "at most 4", [&] { check(kind, squared_euclidean, 4.5, true); });
    expect_error(Fault::argument, "at most 2", [&] { check(kind, euclidean, 5, true); });
    expect_error(Fault::argument, "at most 2", [&] { check(kind, cosine, 2.5, false); });
    EXPECT_NO_THROW(check(kind, squared_euclidean, 4, true));
    EXPECT_NO_THROW(check(kind, euclidean, 5, false));
  }
  EXPECT_NO_THROW(check(LossKind::batch_hard_soft, euclidean, 5, true));  // has no margin
  expect_error(Fault::argument, "at most 2", [&] {                        // matryoshka scales to length 1
    check_margin({.kind = LossKind::triplet, .distance = euclidean, .margin = 5, .matryoshka_dims = "8"},
                 false);
  });
  expect_error(Fault::argument, "squared_euclidean",
               [&] { check_loss({.kind = LossKind::contrastive, .distance = squared_euclidean}, 2, 8); });
}

TEST(Loss, RefusesWhatCannotWork) {
  expect_error(Fault::argument, "needs 3 columns", [] { check_loss({.kind = LossKind::triplet}, 2, 8); });
  expect_error(Fault::argument, "2 columns of texts or more",
               [] { check_loss({.kind = LossKind::mnrl}, 1, 8); });
  expect_error(Fault::argument, "only 8", [] { check_loss({.matryoshka_dims = "16,8"}, 2, 8); });
  expect_error(Fault::argument, "\"x\"", [] { check_loss({.matryoshka_dims = "8,x"}, 2, 8); });
  expect_error(Fault::argument, "whole", [] { check_loss({.matryoshka_dims = "8,0"}, 2, 8); });
  expect_error(Fault::argument, "as many",
               [] { check_loss({.matryoshka_dims = "8,4", .matryoshka_weights = "1"}, 2, 8); });
  expect_error(Fault::argument, "scale", [] { check_loss({.scale = 0}, 2, 8); });

  const auto targets = [](LossKind kind, const Matrix& x, Index columns = 2) {
    check_targets({.kind = kind}, x.view(), columns, 8);
  };
  expect_error(Fault::data, "row 2 has 4.5", [&] { targets(LossKind::cosine, column({1, 4.5f})); });
  EXPECT_NO_THROW(targets(LossKind::cosent, column({1, 4.5f})));
  expect_error(Fault::data, "row 2 has nan", [&] { targets(LossKind::cosent, column({1, NAN})); });
  expect_error(Fault::data, "row 1 has 0.5", [&] { targets(LossKind::contrastive, column({0.5f, 1})); });
  expect_error(Fault::data, "not whole", [&] { targets(LossKind::batch_all, column({0, 1.5f}), 1); });
  expect_error(Fault::data, "same label", [&] { targets(LossKind::batch_hard, column({3, 3}), 1); });
  expect_error(Fault::data, "no two rows", [&] { targets(LossKind::batch_hard, column({3, 4, 5}), 1); });
  expect_error(Fault::data, "one score a row", [&] { targets(LossKind::cosine, Matrix(4, 2)); });
  expect_error(Fault::data, "one score a row", [&] { targets(LossKind::cosine, Matrix()); });
  expect_error(Fault::data, "(8 numbers", [&] { targets(LossKind::mse, Matrix(4, 7)); });
  EXPECT_NO_THROW(targets(LossKind::mse, Matrix(4, 16)));
  expect_error(Fault::data, "(3 numbers)", [&] { targets(LossKind::distill_kl, Matrix(4, 2), 4); });
  EXPECT_NO_THROW(targets(LossKind::margin_mse, Matrix(4, 2), 4));

  std::vector<Matrix> slopes;
  const Matrix a(3, 4), b(2, 4);
  expect_error(Fault::argument, "as many rows", [&] {
    loss({.kind = LossKind::mnrl}, {.columns = {a.view(), b.view()}}, slopes);
  });
  expect_error(Fault::argument, "targets for 0", [&] {
    loss({.kind = LossKind::cosine}, {.columns = {a.view(), a.view()}}, slopes);
  });
}

}  // namespace
}  // namespace shoal
