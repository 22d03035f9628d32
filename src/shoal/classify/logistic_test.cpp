#include "shoal/classify/logistic.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "shoal/classify/logistic_search_impl.h"
#include "shoal/core/error.h"
#include "shoal/core/random.h"
#include "shoal/store/archive/archive.h"
#include "tests/error_of.h"
#include "tests/scratch_folder.h"

namespace shoal {
namespace {

/// Rows around `classes` centres that overlap, and where each came from.
struct Sample {
  Matrix x;
  Labels labels;
};
Sample overlapping(Index rows, Index cols, Index classes, double spread = 1) {
  const Random random({17});
  Sample s{Matrix(rows, cols), {std::vector<Label>(rows), classes}};
  for (Index i = 0; i < rows; ++i) {
    const Index c = random.below(1'000'000 + i, classes);
    s.labels.of[i] = static_cast<Label>(c);
    for (Index j = 0; j < cols; ++j)
      s.x[i][j] =
          static_cast<float>(random.normal(2'000'000 + c * cols + j) + spread * random.normal(i * cols + j));
  }
  return s;
}

bool says(const Error& e, const std::string& words) {
  return std::string(e.what()).find(words) != std::string::npos;
}

double agreement(const Labels& a, const Labels& b) {
  double same = 0;
  for (Index i = 0; i < a.of.size(); ++i) same += a.of[i] == b.of[i];
  return same / static_cast<double>(a.of.size());
}

TEST(Logistic, LearnsClasses) {
  const auto [x, labels] = overlapping(900, 8, 3, 0.5);
  const Logistic l = Logistic::fit(x, labels);
  EXPECT_TRUE(l.converged());
  EXPECT_GT(agreement(l.predict(x), labels), 0.97);
  const Matrix p = l.predict_proba(x);
  const Labels predicted = l.predict(x);
  for (Index i = 0; i < 900; ++i) {
    EXPECT_NEAR(std::accumulate(p[i].begin(), p[i].end(), 0.0), 1, 1e-5);
    EXPECT_EQ(std::ranges::max_element(p[i]) - p[i].begin(), predicted.of[i]);
  }
}

TEST(Logistic, AnswerMadeByHand) {
  // At -1 and 1, one row of each class each. By symmetry the intercepts are 0 and the coefficients -w and w:
  // (log(1 + exp(-2 w)) + w^2 / 2) is least where w = 2 / (1 + exp(2 w)).
  Matrix x(2, 1);
  x[0][0] = -1, x[1][0] = 1;
  const Logistic l = Logistic::fit(x, {{0, 1}, 2}, {.tol = 1e-9});
  const double w = l.coefficients()[1][0];
  EXPECT_NEAR(w, 2 / (1 + std::exp(2 * w)), 1e-6);
  EXPECT_NEAR(l.coefficients()[0][0], -w, 1e-6);
  EXPECT_NEAR(l.intercepts()[0], l.intercepts()[1], 1e-6);
}

void compare(const ArchiveReader& golden, const std::string& name, const LogisticOptions& options) {
  const Matrix x = golden.matrix("x");
  Labels labels{{}, 4};
  for (const std::int64_t c : golden.integers("labels")) labels.of.push_back(static_cast<Label>(c));
  const Logistic l = Logistic::fit(x, labels, options);
  const Matrix coefficients = golden.matrix(name + "_coefficients");
  const std::vector<float> intercepts = golden.floats(name + "_intercepts", 4);
  const Matrix probabilities = golden.matrix(name + "_probabilities"), p = l.predict_proba(x);
  // Softmax does not change when the coefficients of all classes grow alike: the penalty alone, 1 / (c rows),
  // holds that sum, and lets rounding move it further than the rest.
  for (Index j = 0; j < 6; ++j) {
    const auto off = [&](Index c) { return l.coefficients()[c][j] - coefficients[c][j]; };
    const float alike = (off(0) + off(1) + off(2) + off(3)) / 4;
    EXPECT_NEAR(alike, 0, 2e-4) << name;
    for (Index c = 0; c < 4; ++c) EXPECT_NEAR(off(c), alike, 1e-5) << name;
  }
  // Nor when all intercepts do.
  const float shift = l.intercepts()[0] - intercepts[0];
  for (Index c = 0; c < 4; ++c) EXPECT_NEAR(l.intercepts()[c] - shift, intercepts[c], 3e-4) << name;
  for (Index i = 0; i < p.rows() * 4; ++i) EXPECT_NEAR(p.data()[i], probabilities.data()[i], 1e-4) << name;
}

TEST(Logistic, EqualsScikitLearn) {
  const ArchiveReader golden(SHOAL_SOURCE "/tests/golden/logistic.safetensors");
  compare(golden, "plain", {.c = 1, .tol = 1e-8});
  compare(golden, "loose", {.c = 100, .tol = 1e-8});
  compare(golden, "balanced", {.c = 0.05, .tol = 1e-8, .balanced = true});
}

/// Of two classes scikit-learn penalises one vector, the difference: the same with half the c.
TEST(Logistic, TwoClassesAreScikitLearnsWithHalfTheC) {
  const ArchiveReader golden(SHOAL_SOURCE "/tests/golden/logistic.safetensors");
  const Matrix x = golden.matrix("x"), expect = golden.matrix("two_probabilities");
  Labels labels{{}, 2};
  for (const std::int64_t c : golden.integers("labels")) labels.of.push_back(c == 0);
  const Matrix p = Logistic::fit(x, labels, {.c = 0.5, .tol = 1e-8}).predict_proba(x);
  for (Index i = 0; i < p.rows() * 2; ++i) EXPECT_NEAR(p.data()[i], expect.data()[i], 1e-4);
}

/// The gradient in the search's coordinates against differences of its value.
TEST(Logistic, TheGradientIsThatOfTheLoss) {
  auto [x, labels] = overlapping(300, 5, 3);
  labels.of[11] = kNoise;
  const shoal::Run run{};
  const Rows rows(x);
  for (const bool balanced : {false, true}) {
    const std::vector<double> weight = class_weights(labels, balanced);
    LogisticSearch search(rows, softmax_task(rows, labels, weight, {.c = 0.02, .balanced = balanced}, run),
                          run);
    std::vector<double> at(search.size()), gradient(at.size()), ignored(at.size());
    const Random random({3});
    for (Index i = 0; i < at.size(); ++i) at[i] = 0.2 * random.normal(i);
    search(at, gradient);
    for (Index i = 0; i < at.size(); ++i) {
      constexpr double kStep = 3e-3;
      std::vector<double> up = at, down = at;
      up[i] += kStep, down[i] -= kStep;
      EXPECT_NEAR((search(up, ignored).value - search(down, ignored).value) / (2 * kStep), gradient[i], 3e-5);
    }
  }
}

TEST(Logistic, ManyColumnsTakeADiagonal) {
  const auto [x, labels] = overlapping(120, 1030, 3, 3);
  const Logistic l = Logistic::fit(x, labels, {.c = 0.01});
  EXPECT_TRUE(l.converged());
  EXPECT_EQ(agreement(l.predict(x), labels), 1);
}

TEST(Logistic, NoiseAndClassesWithoutRowsAreLeftOut) {
  const auto [x, labels] = overlapping(400, 4, 3);
  Matrix more(410, 4);
  std::copy_n(x.data(), 1600, more.data());
  for (Index i = 400; i < 410; ++i) more[i][0] = 50;
  Labels gaps{{}, 7};
  for (const Label label : labels.of) gaps.of.push_back(2 * label + 1);  // 1, 3, 5
  gaps.of.resize(410, kNoise);
  const LogisticOptions exact{.tol = 1e-7};
  const Logistic l = Logistic::fit(more, gaps, exact), plain = Logistic::fit(x, labels, exact);
  EXPECT_EQ(l.n_classes(), 7u);
  const Matrix p = l.predict_proba(x), expect = plain.predict_proba(x);
  for (Index i = 0; i < 400; ++i)
    for (Index c = 0; c < 7; ++c)
      if (c % 2 == 1)
        EXPECT_NEAR(p[i][c], expect[i][c / 2], 1e-4);
      else
        EXPECT_EQ(p[i][c], 0);
}

TEST(Logistic, BalancedClassesWeighTheSame) {
  Sample s = overlapping(1000, 3, 2, 2);
  for (Index i = 0; i < 1000; ++i)
    if (s.labels.of[i] == 1 && i % 10 != 0) s.labels.of[i] = kNoise;  // class 1 has a tenth of its rows left
  const auto says_one = [&](bool balanced) {
    const Labels said = Logistic::fit(s.x, s.labels, {.balanced = balanced}).predict(s.x);
    return std::ranges::count(said.of, 1);
  };
  EXPECT_GT(says_one(true), 2 * says_one(false));
}

TEST(Logistic, EqualRowsGetTheShareOfTheirClass) {
  Matrix x(10, 3);
  std::fill_n(x.data(), 30, 0.25f);
  const Logistic l = Logistic::fit(x, {{0, 0, 0, 0, 0, 0, 1, 1, 1, 2}, 3}, {.tol = 1e-8});
  const Matrix p = l.predict_proba(x);
  for (const auto& [c, share] : {std::pair{0, 0.6}, {1, 0.3}, {2, 0.1}}) EXPECT_NEAR(p[0][c], share, 1e-5);
}

TEST(Logistic, SeparableRowsConverge) {
  Matrix x(100, 2);
  Labels labels{{}, 2};
  for (Index i = 0; i < 100; ++i) {
    x[i][0] = i < 50 ? -1000 : 1000, x[i][1] = static_cast<float>(i);
    labels.of.push_back(i >= 50);
  }
  const Logistic l = Logistic::fit(x, labels, {.c = 1e6});
  EXPECT_EQ(l.predict(x), labels);
}

TEST(Logistic, RefusesWhatItCannotDo) {
  const auto [x, labels] = overlapping(60, 4, 3);
  for (const LogisticOptions& o : {LogisticOptions{.c = 0},
                                   {.c = -1},
                                   {.c = std::nan("")},
                                   {.tol = -1},
                                   {.tol = std::nan("")},
                                   {.max_iter = 0}})
    EXPECT_EQ(error_of([&] { Logistic::fit(x, labels, o); }).fault, Fault::argument);
  EXPECT_TRUE(says(error_of([&] { Logistic::fit(x, {{0, 1}, 2}); }), "2 labels for 60 rows"));
  EXPECT_TRUE(says(error_of([&] {
                     Logistic::fit(x, {std::vector<Label>(60, 1), 2});
                   }),
                   "at least 2 classes"));
  EXPECT_TRUE(says(error_of([&] { Logistic::fit(Matrix(1, 4), {{0}, 1}); }), "at least 2 classes"));
  EXPECT_EQ(error_of([&] { Logistic::fit(Matrix(2, 0), {{0, 1}, 2}); }).fault, Fault::data);
  Matrix bad = x;
  bad[7][1] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(says(error_of([&] { Logistic::fit(bad, labels); }), "row 7"));
}

TEST(Logistic, SaysWhenItWasCutOff) {
  const auto [x, labels] = overlapping(300, 6, 3);
  const Logistic l = Logistic::fit(x, labels, {.tol = 1e-7, .max_iter = 3});
  EXPECT_FALSE(l.converged());
  EXPECT_EQ(l.n_iter(), 3u);
}

TEST(Logistic, ADamagedFileIsAFormatError) {
  const auto [x, labels] = overlapping(60, 4, 3);
  const ScratchFolder folder;
  ArchiveWriter out(Logistic::kind);
  out.options(list_fields(LogisticOptions{}));
  out.add("coefficients", MatrixView(x.view().slice(0, 3)));
  out.add("intercepts", std::span<const float>(x[0]));  // 4 of them for 3 classes
  out.write(folder / "file");
  EXPECT_EQ(error_of([&] { Logistic::load(ArchiveReader(folder / "file")); }).fault, Fault::format);
}

}  // namespace
}  // namespace shoal
