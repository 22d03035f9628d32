#include "shoal/classify/head.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "shoal/classify/label_errors.h"
#include "shoal/core/error.h"
#include "shoal/core/random.h"
#include "shoal/store/archive/archive.h"
#include "tests/error_of.h"
#include "tests/scratch_folder.h"

namespace shoal {
namespace {

struct Sample {
  Matrix x;
  LabelSets sets;
};

/// Rows around `labels` directions, in turn, at length 1.
Sample bunches(Index rows, Index cols, Index labels, double spread, std::uint64_t seed = 5) {
  const Random centres({7}), random({seed});
  Sample s{Matrix(rows, cols), {{}, labels}};
  for (Index i = 0; i < rows; ++i) {
    const Index c = i % labels;
    s.sets.of.push_back({static_cast<Label>(c)});
    double square = 0;
    for (Index j = 0; j < cols; ++j) {
      s.x[i][j] = static_cast<float>(centres.normal(c * cols + j) + spread * random.normal(i * cols + j));
      square += static_cast<double>(s.x[i][j]) * static_cast<double>(s.x[i][j]);
    }
    for (float& v : s.x[i]) v /= static_cast<float>(std::sqrt(square));
  }
  return s;
}

double right(const Labels& said, const LabelSets& sets) {
  double n = 0;
  for (Index i = 0; i < said.of.size(); ++i) n += said.of[i] == sets.of[i].front();
  return n / static_cast<double>(said.of.size());
}

bool says(const Error& e, const std::string& words) {
  return std::string(e.what()).find(words) != std::string::npos;
}

TEST(LinearRule, SoftmaxIsThatOfLogistic) {
  const Sample s = bunches(400, 12, 4, 1.2);
  const Labels labels = single_labels(s.sets);
  const LogisticOptions options{.c = 3, .tol = 1e-7};
  const Logistic l = Logistic::fit(s.x, labels, options);
  const LinearRule cold = fit_softmax(s.x, labels, options, {}, nullptr, {});
  EXPECT_EQ(cold.coefficients, l.coefficients());
  // From elsewhere to the same minimum, in fewer steps.
  const LinearRule weak = fit_softmax(s.x, labels, {.c = 1, .tol = 1e-7}, {}, nullptr, {});
  const LinearRule warm = fit_softmax(s.x, labels, options, {}, &weak, {});
  EXPECT_NEAR(warm.loss, cold.loss, 1e-7);
  const LinearRule again = fit_softmax(s.x, labels, options, {}, &cold, {});
  EXPECT_LT(again.n_iter, 3u);
}

/// Each label's regression by itself is one of two classes: the same minimum as Logistic's with the weight on
/// one side: w of "has it" minus w of "has not" of a softmax over two with half the penalty.
TEST(LinearRule, OneVsRestHasNoSlopeAtItsEnd) {
  Sample s = bunches(300, 6, 3, 1.0);
  for (Index i = 0; i < 300; i += 7) s.sets.of[i] = {0, 2};
  for (Index i = 3; i < 300; i += 50) s.sets.of[i].clear();
  const double c = 2;
  const LinearRule rule = fit_one_vs_rest(s.x, s.sets, {.c = c, .tol = 1e-8}, {}, nullptr, {});
  const Matrix z = logits_of(rule, s.x, {});
  for (Index label = 0; label < 3; ++label) {
    std::vector<double> slope(7);
    for (Index i = 0; i < 300; ++i) {
      const bool has = std::ranges::count(s.sets.of[i], static_cast<Label>(label)) > 0;
      const double error = 1 / (1 + std::exp(-static_cast<double>(z[i][label]))) - has;
      for (Index j = 0; j < 6; ++j) slope[j] += error * static_cast<double>(s.x[i][j]);
      slope[6] += error;
    }
    for (Index j = 0; j < 6; ++j)
      EXPECT_NEAR((slope[j] + static_cast<double>(rule.coefficients[label][j]) / c) / 300, 0, 1e-5);
    EXPECT_NEAR(slope[6] / 300, 0, 1e-5);
  }
}

TEST(LinearRule, AddedLabelsLeaveTheOldOnesAndHaveNoSlope) {
  const Sample s = bunches(400, 8, 4, 0.9);
  Labels all = single_labels(s.sets), some = all;
  for (Label& l : some.of)
    if (l == 3) l = kNoise;
  some.count = 3;
  const LinearRule old = fit_softmax(s.x, some, {.c = 4, .tol = 1e-7}, {}, nullptr, {});
  const LinearRule both = fit_added(old, s.x, all, {.c = 4, .tol = 1e-8}, {});
  for (Index c = 0; c < 3; ++c) {
    EXPECT_TRUE(std::ranges::equal(both.coefficients[c], old.coefficients[c]));
    EXPECT_EQ(both.intercepts[c], old.intercepts[c]);
  }
  const Matrix z = logits_of(both, s.x, {});
  std::vector<double> slope(9);
  double correct = 0;
  for (Index i = 0; i < 400; ++i) {
    double sum = 0;
    for (const float v : z[i]) sum += std::exp(static_cast<double>(v));
    const double error = std::exp(static_cast<double>(z[i][3])) / sum - (all.of[i] == 3);
    for (Index j = 0; j < 8; ++j) slope[j] += error * static_cast<double>(s.x[i][j]);
    slope[8] += error;
    correct += std::ranges::max_element(z[i]) - z[i].begin() == all.of[i];
  }
  for (Index j = 0; j < 8; ++j)
    EXPECT_NEAR((slope[j] + static_cast<double>(both.coefficients[3][j]) / 4) / 400, 0, 1e-5);
  EXPECT_NEAR(slope[8] / 400, 0, 1e-5);
  const LinearRule anew = fit_softmax(s.x, all, {.c = 4, .tol = 1e-7}, {}, nullptr, {});
  const Matrix full = logits_of(anew, s.x, {});
  double correct_anew = 0;
  for (Index i = 0; i < 400; ++i)
    correct_anew += std::ranges::max_element(full[i]) - full[i].begin() == all.of[i];
  EXPECT_GT(correct, 0.9 * correct_anew);
}

/// A weight of 2 is each row twice.
TEST(LinearRule, WeightsOfLabelsAreRepeatedRows) {
  const Sample s = bunches(300, 6, 3, 1.2);
  Sample twice{Matrix(400, 6), {s.sets.of, 3}};
  std::copy_n(s.x.data(), 300 * 6, twice.x.data());
  for (Index i = 1; i < 300; i += 3) {
    std::ranges::copy(s.x[i], twice.x[twice.sets.of.size()].begin());
    twice.sets.of.push_back({1});
  }
  const LogisticOptions options{.c = 2, .tol = 1e-8};
  const auto same = [](const LinearRule& a, const LinearRule& b) {
    for (Index i = 0; i < a.coefficients.rows() * a.coefficients.cols(); ++i)
      EXPECT_NEAR(a.coefficients.data()[i], b.coefficients.data()[i], 2e-4);
    for (Index c = 0; c < a.labels(); ++c) EXPECT_NEAR(a.intercepts[c], b.intercepts[c], 2e-4);
  };
  const std::vector<double> weights{1, 2, 1};
  same(fit_softmax(s.x, single_labels(s.sets), options, weights, nullptr, {}),
       fit_softmax(twice.x, single_labels(twice.sets), options, {}, nullptr, {}));
  const auto only_one = [](LabelSets sets) {
    sets.count = 1;
    for (auto& set : sets.of) set = set.front() == 1 ? std::vector<Label>{0} : std::vector<Label>{};
    return sets;
  };
  same(fit_one_vs_rest(s.x, only_one(s.sets), options, std::vector<double>{2}, nullptr, {}),
       fit_one_vs_rest(twice.x, only_one(twice.sets), options, {}, nullptr, {}));
}

TEST(Isotonic, PoolsWhatFalls) {
  const Isotonic curve = Isotonic::fit(std::vector<double>{1, 2, 3, 4}, std::vector<double>{0, 1, 0, 1});
  EXPECT_EQ(curve(0), 0);
  EXPECT_EQ(curve(2), 0.5);
  EXPECT_EQ(curve(2.7), 0.5);
  EXPECT_EQ(curve(1.5), 0.25);
  EXPECT_EQ(curve(9), 1);
}

TEST(Calibration, TheTemperatureUndoesAFactor) {
  // Of logits z the true class is drawn with softmax(z); said is 3 z.
  const Random random({9});
  Matrix logits(6000, 3);
  Truth truth{3, std::vector<std::uint8_t>(6000 * 3)};
  for (Index i = 0; i < 6000; ++i) {
    double p[3], sum = 0;
    for (Index c = 0; c < 3; ++c) {
      const double z = random.normal(i * 3 + c);
      logits[i][c] = static_cast<float>(3 * z);
      sum += p[c] = std::exp(z);
    }
    double draw = random.uniform(1'000'000 + i) * sum;
    Index c = 0;
    while (c < 2 && draw >= p[c]) draw -= p[c++];
    truth.of[i * 3 + c] = 1;
  }
  EXPECT_NEAR(best_temperature(HeadTask::multiclass, logits, truth), 3, 0.15);
  for (const auto kind : {CalibrationKind::temperature, CalibrationKind::isotonic}) {
    const Calibration made = Calibration::fit(kind, HeadTask::multiclass, logits, truth);
    std::vector<double> sure;
    std::vector<std::uint8_t> correct;
    for (Index i = 0; i < 6000; ++i) {
      std::vector<float> p(logits[i].begin(), logits[i].end());
      made.apply(p);
      EXPECT_NEAR(std::accumulate(p.begin(), p.end(), 0.0), 1, 1e-5);
      const auto c = std::ranges::max_element(p) - p.begin();
      sure.push_back(static_cast<double>(p[static_cast<Index>(c)]));
      correct.push_back(truth[i][c]);
    }
    EXPECT_LT(reliability(sure, correct).error, 0.03) << name_of(kind);
  }
}

TEST(Reliability, MadeByHand) {
  const Reliability r =
      reliability(std::vector<double>{0.9, 0.9, 0.1, 1.0}, std::vector<std::uint8_t>{1, 0, 0, 1}, 2);
  EXPECT_EQ(r.bins[0].count, 1u);
  EXPECT_EQ(r.bins[1].count, 3u);
  EXPECT_NEAR(r.error, 0.25 * 0.1 + 0.75 * (2.8 / 3 - 2.0 / 3), 1e-12);
}

TEST(Thresholds, AreWhereF1IsLargest) {
  // Label 0 is true from 0.3 on, label 1 from 0.8 on.
  Matrix p(100, 2);
  Truth truth{2, {}};
  std::vector<std::uint32_t> fold;
  for (Index i = 0; i < 100; ++i) {
    const auto v = static_cast<float>(i) / 100;
    p[i][0] = p[i][1] = v;
    truth.of.push_back(i >= 30), truth.of.push_back(i >= 80);
    fold.push_back(static_cast<std::uint32_t>(i % 5));
  }
  const Thresholds own = choose_thresholds(ThresholdKind::per_label, p, truth, fold);
  EXPECT_FLOAT_EQ(own.of[0], 0.30f);
  EXPECT_FLOAT_EQ(own.of[1], 0.80f);
  EXPECT_EQ(f1_of(p, truth, own.of).macro, 1);
  EXPECT_EQ(choose_thresholds(ThresholdKind::best, p, truth, fold).kind, ThresholdKind::per_label);
  const Thresholds one = choose_thresholds(ThresholdKind::one, p, truth, fold);
  EXPECT_EQ(one.of[0], one.of[1]);
  EXPECT_LT(one.macro_f1, own.macro_f1);
}

TEST(OpenSet, TheLimitKeepsTheShareThatWasAsked) {
  const Sample s = bunches(1000, 16, 5, 0.8), more = bunches(1000, 16, 5, 0.8, 99);
  HeldOut held;
  const Head head = Head::fit(s.x, s.sets, {.coverage = 0.9}, {}, &held);
  EXPECT_NEAR(held.covered, 0.9, 0.02);
  const HeadAnswer known = head.answer(more.x);
  EXPECT_NEAR(std::accumulate(known.unknown.begin(), known.unknown.end(), 0.0) / 1000, 0.1, 0.04);
  // Conformal: no more than a share p of known rows has a p-value of p or less.
  for (const double p : {0.05, 0.2, 0.5})
    EXPECT_NEAR(
        static_cast<double>(std::ranges::count_if(known.p_value, [&](double v) { return v <= p; })) / 1000, p,
        0.05);
  Matrix foreign(200, 16);
  const Random random({3});
  for (Index i = 0; i < 200 * 16; ++i) foreign.data()[i] = static_cast<float>(0.25 * random.normal(i));
  const HeadAnswer none = head.answer(foreign);
  EXPECT_GT(std::accumulate(none.unknown.begin(), none.unknown.end(), 0), 150);
  for (Index i = 0; i < 200; ++i) EXPECT_EQ(none.sets.of[i].empty(), none.unknown[i] == 1);
}

/// Against the formula, in double.
TEST(OpenSet, RelativeMahalanobisIsThatOfItsFormula) {
  const Sample s = bunches(60, 3, 2, 0.7);
  const OpenSetShape shape = OpenSetShape::fit(s.x, single_labels(s.sets), 0.01, {});
  const Matrix logits(60, 2);
  const auto scored = shape.score(s.x, logits, HeadTask::multiclass, {});
  double mean[3] = {}, centre[2][3] = {};
  for (Index i = 0; i < 60; ++i)
    for (Index j = 0; j < 3; ++j)
      mean[j] += static_cast<double>(s.x[i][j]) / 60, centre[i % 2][j] += static_cast<double>(s.x[i][j]) / 30;
  double all[9] = {}, own[9] = {};
  for (Index i = 0; i < 60; ++i)
    for (Index a = 0; a < 3; ++a)
      for (Index b = 0; b < 3; ++b) {
        const auto x = s.x[i];
        all[a * 3 + b] += (static_cast<double>(x[a]) - mean[a]) * (static_cast<double>(x[b]) - mean[b]) / 60;
        own[a * 3 + b] += (static_cast<double>(x[a]) - centre[i % 2][a]) *
                          (static_cast<double>(x[b]) - centre[i % 2][b]) / 60;
      }
  const auto distance = [](double* covariance, const double* y) {  // y' C^-1 y by Cramer's rule
    double m[9];
    const double level = (covariance[0] + covariance[4] + covariance[8]) / 3;
    for (int k = 0; k < 9; ++k) m[k] = 0.99 * covariance[k] + (k % 4 == 0 ? 0.01 * level : 0);
    const auto det = [](const double* q) {
      return q[0] * (q[4] * q[8] - q[5] * q[7]) - q[1] * (q[3] * q[8] - q[5] * q[6]) +
             q[2] * (q[3] * q[7] - q[4] * q[6]);
    };
    double sum = 0;
    for (int j = 0; j < 3; ++j) {
      double r[9];
      std::copy_n(m, 9, r);
      for (int i = 0; i < 3; ++i) r[i * 3 + j] = y[i];
      sum += y[j] * det(r) / det(m);
    }
    return sum;
  };
  for (Index i = 0; i < 60; ++i) {
    double off[3], least = std::numeric_limits<double>::infinity();
    for (int j = 0; j < 3; ++j) off[j] = static_cast<double>(s.x[i][j]) - mean[j];
    const double whole = distance(all, off);
    for (auto& c : centre) {
      for (int j = 0; j < 3; ++j) off[j] = static_cast<double>(s.x[i][j]) - c[j];
      least = std::min(least, distance(own, off));
    }
    EXPECT_NEAR(scored.scores[i][static_cast<Index>(OpenSetScore::mahalanobis)], whole - least,
                1e-3 * std::max(1.0, whole));
    EXPECT_NEAR(scored.scores[i][static_cast<Index>(OpenSetScore::nearest)], 1, 1e-5);  // itself
    EXPECT_NEAR(scored.scores[i][static_cast<Index>(OpenSetScore::energy)], std::log(2), 1e-5);
  }
}

TEST(Head, LearnsClassesAndSaysHowWell) {
  const Sample s = bunches(900, 16, 6, 0.9), more = bunches(600, 16, 6, 0.9, 77);
  HeldOut held;
  const Head head = Head::fit(s.x, s.sets, {}, {}, &held);
  EXPECT_GT(right(head.predict(more.x), more.sets), 0.9);
  EXPECT_EQ(held.n_judged, 900u);
  EXPECT_EQ(held.tried.size(), held.losses.size());
  EXPECT_NE(std::ranges::find(held.tried, head.c()), held.tried.end());
  // What held-out rows say comes true on new ones.
  Labels by_folds{{}, 6};
  for (Index i = 0; i < 900; ++i)
    by_folds.of.push_back(
        static_cast<Label>(std::ranges::max_element(held.probabilities[i]) - held.probabilities[i].begin()));
  EXPECT_NEAR(right(by_folds, s.sets), right(head.predict(more.x), more.sets), 0.04);
}

TEST(Head, LearnsSeveralLabels) {
  Sample s = bunches(600, 16, 4, 0.8), more = bunches(400, 16, 4, 0.8, 31);
  const auto also = [](Sample& to) {  // label 4 stands at rows of labels 0 and 1
    to.sets.count = 5;
    for (auto& set : to.sets.of)
      if (set.front() < 2) set.push_back(4);
  };
  also(s), also(more);
  const Head head = Head::fit(s.x, s.sets, {.task = HeadTask::multilabel});
  const HeadAnswer said = head.answer(more.x);
  double same = 0;
  for (Index i = 0; i < 400; ++i) same += said.sets.of[i] == more.sets.of[i];
  EXPECT_GT(same / 400, 0.8);
  EXPECT_EQ(head.thresholds().of.size(), 5u);
}

TEST(Head, IsTheSameForAnyNumberOfThreadsAndWhenReadBack) {
  const Sample s = bunches(500, 10, 4, 1.0);
  const ScratchFolder folder;
  const auto bytes = [&](unsigned threads, const char* name) {
    ArchiveWriter out(Head::kind);
    Head::fit(s.x, s.sets, {}, {.threads = threads}).save(out);
    out.write(folder / name);
    return sha256_file(folder / name);
  };
  EXPECT_EQ(bytes(1, "one"), bytes(3, "three"));
  const Head read = Head::load(ArchiveReader(folder / "one"));
  const HeadAnswer a = Head::fit(s.x, s.sets).answer(s.x), b = read.answer(s.x);
  EXPECT_EQ(a.probabilities, b.probabilities);
  EXPECT_EQ(a.scores, b.scores);
  EXPECT_EQ(a.sets, b.sets);
  EXPECT_EQ(a.p_value, b.p_value);
}

TEST(Head, AFewRowsALabelAreEnough) {
  for (const Index each : {1u, 2u, 4u, 8u}) {
    const Sample s = bunches(each * 5, 16, 5, 0.4), more = bunches(200, 16, 5, 0.4, 8);
    HeldOut held;
    const Head head = Head::fit(s.x, s.sets, {}, {}, &held);
    EXPECT_GT(right(head.predict(more.x), more.sets), 0.75) << each;
    EXPECT_EQ(held.n_judged == 0, each == 1) << each;
    const HeadAnswer said = head.answer(more.x);
    const ScratchFolder folder;
    ArchiveWriter out(Head::kind);
    head.save(out);
    out.write(folder / "head");
    const HeadAnswer again = Head::load(ArchiveReader(folder / "head")).answer(more.x);
    EXPECT_EQ(again.probabilities, said.probabilities);
    EXPECT_EQ(again.unknown, said.unknown);
    if (each == 1) {
      EXPECT_EQ(std::accumulate(said.unknown.begin(), said.unknown.end(), 0), 0);
    }
  }
}

TEST(Head, ALabelSeenOnceIsNotJudged) {
  Sample s = bunches(101, 16, 4, 0.5);
  s.sets.count = 5;
  s.sets.of[100] = {4};
  HeldOut held;
  const Head head = Head::fit(s.x, s.sets, {}, {}, &held);
  EXPECT_EQ(held.judged[100], 0);
  EXPECT_EQ(held.n_judged, 100u);
  EXPECT_EQ(head.n_labels(), 5u);
}

TEST(Head, TakesInNewLabels) {
  const Sample s = bunches(500, 16, 5, 0.5), more = bunches(300, 16, 5, 0.5, 6);
  Sample old{Matrix(400, 16), {{}, 4}}, fresh{Matrix(100, 16), {{}, 5}};
  for (Index i = 0; i < 500; ++i) {
    Sample& to = i % 5 < 4 ? old : fresh;
    std::ranges::copy(s.x[i], to.x[to.sets.of.size()].begin());
    to.sets.of.push_back(s.sets.of[i]);
  }
  const Head first = Head::fit(old.x, old.sets), second = first.with_added(fresh.x, fresh.sets);
  EXPECT_EQ(first.n_labels(), 4u);
  EXPECT_EQ(second.n_labels(), 5u);
  EXPECT_GT(right(second.predict(more.x), more.sets), 0.95);
  const HeadAnswer before = first.answer(more.x), after = second.answer(more.x);
  double known_before = 0, known_after = 0;  // rows of the new label
  for (Index i = 4; i < 300; i += 5) known_before += !before.unknown[i], known_after += !after.unknown[i];
  EXPECT_GT(known_after, known_before + 20);
}

TEST(Head, NamesOfLabelsAreEnoughToBegin) {
  const Sample s = bunches(3, 16, 3, 0), more = bunches(90, 16, 3, 0.5);
  const Head head = Head::zero_shot(s.x);
  EXPECT_GT(right(head.predict(more.x), more.sets), 0.95);
  EXPECT_THROW(head.with_added(more.x, more.sets), Error);
  EXPECT_TRUE(says(error_of([] { Head::zero_shot(Matrix(1, 4)); }), "at least 2 labels"));
}

TEST(Head, OfNamesTakesRowsOfAnyLength) {
  const Head head = Head::zero_shot(bunches(3, 16, 3, 0).x);
  Sample long_ones = bunches(30, 16, 3, 0.5);
  const Matrix said = head.predict_proba(long_ones.x);
  for (Index i = 0; i < 30 * 16; ++i) long_ones.x.data()[i] *= 7;
  const Matrix again = head.predict_proba(long_ones.x);
  for (Index i = 0; i < 30 * 3; ++i) EXPECT_NEAR(again.data()[i], said.data()[i], 1e-5);
  const ScratchFolder folder;
  ArchiveWriter out(Head::kind);
  head.save(out);
  out.write(folder / "head");
  EXPECT_EQ(Head::load(ArchiveReader(folder / "head")).predict_proba(long_ones.x), again);
}

/// Without the one row that has a alone, a and b stand at every row: its fold has nothing to learn.
TEST(Head, AFoldWithNothingToLearnIsLeftOut) {
  Sample s = bunches(21, 8, 2, 0.5);
  s.sets.of.assign(21, {0, 1});
  s.sets.of[20] = {0};
  for (const auto kind : {HeadKind::logistic, HeadKind::mlp}) {
    HeldOut held;
    const Head head = Head::fit(
        s.x, s.sets, {.task = HeadTask::multilabel, .head = kind, .mlp = {.n_epochs = 3}}, {}, &held);
    EXPECT_EQ(held.judged[20], 0);
    EXPECT_EQ(held.n_judged, 20u);
    EXPECT_EQ(head.n_labels(), 2u);
    const Matrix p = head.predict_proba(s.x);
    EXPECT_GT(p[0][0], 0.99f);
  }
}

/// Thresholds that are judged on a row were not chosen on it, nor was its calibration.
TEST(Head, HeldOutLabelsComeFromTheOtherFolds) {
  Sample s = bunches(300, 6, 3, 1.5);
  for (Index i = 0; i < 300; i += 4) s.sets.of[i] = {0, 2};
  HeldOut held;
  const Head head = Head::fit(
      s.x, s.sets, {.task = HeadTask::multilabel, .thresholds = ThresholdKind::per_label}, {}, &held);
  EXPECT_EQ(held.n_judged, 300u);
  for (std::uint32_t f = 0; f < 5; ++f) {
    Matrix others(static_cast<Index>(std::ranges::count_if(held.fold, [&](auto of) { return of != f; })), 3);
    Truth truth{3, std::vector<std::uint8_t>(others.rows() * 3)};
    Index r = 0;
    for (Index i = 0; i < 300; ++i) {
      if (held.fold[i] == f) continue;
      std::ranges::copy(held.logits[i], others[r].begin());
      for (const Label label : s.sets.of[i]) truth.of[r * 3 + static_cast<Index>(label)] = 1;
      ++r;
    }
    const Calibration calibration =
        Calibration::fit(CalibrationKind::temperature, HeadTask::multilabel, others, truth);
    for (r = 0; r < others.rows(); ++r) calibration.apply(others[r]);
    const auto thresholds = best_thresholds(ThresholdKind::per_label, others, truth);
    for (Index i = 0; i < 300; ++i) {
      if (held.fold[i] != f) continue;
      std::vector<float> p(held.logits[i].begin(), held.logits[i].end());
      calibration.apply(p);
      std::vector<Label> said;
      for (Index c = 0; c < 3; ++c)
        if (p[c] >= thresholds[c]) said.push_back(static_cast<Label>(c));
      EXPECT_EQ(held.sets.of[i], said);
    }
  }
}

/// Rows of one label lie on both sides of the other's: no straight border parts them.
Sample between(Index rows, std::uint64_t seed) {
  const Random random({seed});
  Sample s{Matrix(rows, 5), {{}, 2}};
  for (Index i = 0; i < rows; ++i) {
    const Index c = i % 2;
    for (Index j = 0; j < 5; ++j) s.x[i][j] = static_cast<float>(0.3 * random.normal(i * 5 + j) + 2);
    if (c == 1) s.x[i][0] += i % 4 == 1 ? 2.0f : -2.0f;
    s.sets.of.push_back({static_cast<Label>(c)});
  }
  return s;
}

TEST(Mlp, LearnsWhatNoStraightBorderParts) {
  const Sample s = between(800, 1), more = between(400, 2);
  HeldOut held;
  const HeadOptions options{.head = HeadKind::mlp,
                            .mlp = {.hidden = 64, .dropout = 0.1, .learning_rate = 3e-3}};
  const Head head = Head::fit(s.x, s.sets, options, {}, &held);
  EXPECT_GT(right(head.predict(more.x), more.sets), 0.97);
  EXPECT_LT(right(Head::fit(s.x, s.sets).predict(more.x), more.sets), 0.8);
  EXPECT_EQ(held.n_judged, 800u);
  EXPECT_EQ(head.dims(), 5u);
  EXPECT_EQ(head.rule().coefficients.cols(), 64u);
  // Several labels a row, and a new label on the same hidden layer.
  Sample several = s;
  several.sets.count = 3;
  for (Index i = 0; i < 800; ++i)
    if (s.x[i][1] > 2) several.sets.of[i].push_back(2);
  HeadOptions both = options;
  both.task = HeadTask::multilabel;
  const HeadAnswer said = Head::fit(several.x, several.sets, both).answer(several.x);
  double same = 0;
  for (Index i = 0; i < 800; ++i) same += said.sets.of[i] == several.sets.of[i];
  EXPECT_GT(same / 800, 0.9);
  Sample fresh{Matrix(50, 5), {std::vector<std::vector<Label>>(50, {2}), 3}};
  const Random random({4});
  for (Index i = 0; i < 250; ++i) fresh.x.data()[i] = static_cast<float>(0.3 * random.normal(i) - 2);
  const Labels now = head.with_added(fresh.x, fresh.sets).predict(fresh.x);
  EXPECT_GT(std::ranges::count(now.of, 2), 45);
}

TEST(Mlp, IsTheSameForAnyNumberOfThreadsAndWhenReadBack) {
  const Sample s = between(700, 3);
  const ScratchFolder folder;
  const auto bytes = [&](unsigned threads, const char* name) {
    ArchiveWriter out(Head::kind);
    Head::fit(s.x, s.sets, {.head = HeadKind::mlp, .mlp = {.hidden = 16, .n_epochs = 4}},
              {.threads = threads})
        .save(out);
    out.write(folder / name);
    return sha256_file(folder / name);
  };
  EXPECT_EQ(bytes(1, "one"), bytes(3, "three"));
  const Head read = Head::load(ArchiveReader(folder / "one"));
  const Head made = Head::fit(s.x, s.sets, {.head = HeadKind::mlp, .mlp = {.hidden = 16, .n_epochs = 4}});
  EXPECT_EQ(made.predict_proba(s.x), read.predict_proba(s.x));
}

TEST(Mlp, HeavyLabelsAreSaidMoreOften) {
  const Sample s = bunches(600, 6, 2, 3.0);
  const auto said = [&](std::vector<double> weights) {
    const Head head = Head::fit(s.x, s.sets,
                                {.head = HeadKind::mlp,
                                 .mlp = {.hidden = 8, .n_epochs = 10},
                                 .calibration = CalibrationKind::none,
                                 .label_weights = std::move(weights)});
    const Labels labels = head.predict(s.x);
    return std::ranges::count(labels.of, 1);
  };
  EXPECT_GT(said({1, 8}), said({}) + 60);
  EXPECT_EQ(said({1, 1}), said({}));
}

TEST(Head, RefusesWhatItCannotUse) {
  const Sample s = bunches(60, 8, 3, 0.5);
  const auto refused = [&](const Matrix& x, const LabelSets& sets, const HeadOptions& o = {}) {
    return error_of([&] { Head::fit(x, sets, o); });
  };
  LabelSets one{std::vector<std::vector<Label>>(60, {0}), 1};
  EXPECT_TRUE(says(refused(s.x, one), "at least 2 labels; there is 1"));
  LabelSets gap = s.sets;
  gap.count = 4;
  EXPECT_TRUE(says(refused(s.x, gap), "label 3 has no rows"));
  LabelSets several = s.sets;
  several.of[5] = {0, 1};
  EXPECT_TRUE(says(refused(s.x, several), "row 5 has 2 labels"));
  LabelSets always{std::vector<std::vector<Label>>(60, {0}), 1};
  EXPECT_TRUE(says(refused(s.x, always, {.task = HeadTask::multilabel}), "nothing to learn"));
  Matrix bad = s.x;
  bad[7][1] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(says(refused(bad, s.sets), "row 7"));
  EXPECT_EQ(refused(s.x, s.sets, {.n_folds = 1}).fault, Fault::argument);
  EXPECT_TRUE(says(refused(s.x, s.sets, {.label_weights = {1, 2}}), "2 weights of 3 labels"));
  EXPECT_TRUE(says(refused(s.x, s.sets, {.label_weights = {1, 0, 2}}), "weight of label 1 is 0"));
  const Head head = Head::fit(Rows(s.x, {.id = "a@1", .dims = 8}), s.sets);
  EXPECT_EQ(error_of([&] { head.answer(Rows(s.x, {.id = "b@2", .dims = 8})); }).fault, Fault::data);
  EXPECT_EQ(error_of([&] { head.answer(Matrix(2, 9)); }).fault, Fault::data);
}

TEST(LabelErrors, ArePlantedOnes) {
  Sample s = bunches(600, 16, 4, 0.6);
  std::vector<Index> planted;
  for (Index i = 5; i < 600; i += 40) {
    s.sets.of[i][0] = (s.sets.of[i][0] + 1) % 4;
    planted.push_back(i);
  }
  HeldOut held;
  Head::fit(s.x, s.sets, {}, {}, &held);
  const auto found = label_errors(HeadTask::multiclass, held.probabilities, s.sets, held.judged);
  // Rows below the mean of their class are passed over: what is found is right, but not all is found.
  Index hits = 0;
  for (const LabelError& e : found) {
    hits += static_cast<Index>(std::ranges::count(planted, e.row));
    EXPECT_EQ(e.given, s.sets.of[e.row][0]);
  }
  EXPECT_GE(hits, planted.size() / 2);
  EXPECT_GE(hits, found.size() * 3 / 4);
  for (Index k = 1; k < found.size(); ++k) EXPECT_GE(found[k - 1].doubt(), found[k].doubt());
}

TEST(LabelErrors, MadeByHand) {
  // Rows 0..3 are of label 0 with p .9, .9, .9, .1: the mean is .7; rows 4, 5 of label 1 with .8.
  Matrix p(6, 2);
  const float first[] = {0.9f, 0.9f, 0.9f, 0.1f, 0.2f, 0.2f};
  for (Index i = 0; i < 6; ++i) p[i][0] = first[i], p[i][1] = 1 - first[i];
  const LabelSets sets{{{0}, {0}, {0}, {0}, {1}, {1}}, 2};
  const std::vector<std::uint8_t> judged(6, 1);
  const auto found = label_errors(HeadTask::multiclass, p, sets, judged);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].row, 3u);
  EXPECT_EQ(found[0].suggested, 1);
}

}  // namespace
}  // namespace shoal
