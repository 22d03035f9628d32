#include <gtest/gtest.h>

#include <algorithm>

#include "shoal/classify/head.h"
#include "shoal/store/archive/archive.h"

// Against scikit-learn, scipy and numpy: tests/golden/make_heads.py.
namespace shoal {
namespace {

const ArchiveReader& golden() {
  static const ArchiveReader reader(SHOAL_SOURCE "/tests/golden/heads.safetensors");
  return reader;
}

std::vector<double> doubles(const char* name) {
  return golden().doubles(name, golden().tensor(name).count());
}

Truth truth_of(const char* name, Index labels) {
  Truth out{labels, {}};
  for (const std::int64_t v : golden().integers(name)) out.of.push_back(static_cast<std::uint8_t>(v));
  return out;
}

Truth of_classes(const char* name, Index labels) {
  Truth out{labels, {}};
  for (const std::int64_t c : golden().integers(name))
    for (Index k = 0; k < labels; ++k) out.of.push_back(static_cast<Index>(c) == k);
  return out;
}

LabelSets sets_of(const Truth& truth) {
  LabelSets out{{}, truth.labels};
  for (Index i = 0; i < truth.rows(); ++i) {
    auto& set = out.of.emplace_back();
    for (Index c = 0; c < truth.labels; ++c)
      if (truth[i][c]) set.push_back(static_cast<Label>(c));
  }
  return out;
}

TEST(Golden, TemperaturesAreThoseOfAReferenceSearch) {
  const Matrix logits = golden().matrix("logits");
  const std::vector<double> expect = doubles("temperatures");
  EXPECT_NEAR(best_temperature(HeadTask::multiclass, logits, of_classes("classes", 4)), expect[0], 2e-3);
  EXPECT_NEAR(best_temperature(HeadTask::multilabel, logits, truth_of("sets", 4)), expect[1], 2e-3);
}

TEST(Golden, IsotonicCurvesAreScikitLearns) {
  const Isotonic curve = Isotonic::fit(doubles("isotonic_x"), doubles("isotonic_y"));
  const std::vector<double> at = doubles("isotonic_at"), expect = doubles("isotonic");
  for (Index i = 0; i < at.size(); ++i) EXPECT_NEAR(curve(at[i]), expect[i], 1e-12) << at[i];
}

TEST(Golden, ThresholdsAreWhereScikitLearnsF1IsLargest) {
  const Matrix p = golden().matrix("said");
  const Truth truth = truth_of("true", 5);
  const std::vector<float> found = best_thresholds(ThresholdKind::per_label, p, truth);
  const std::vector<double> best = doubles("best"), f1 = doubles("f1");
  for (Index c = 0; c < 5; ++c) {
    EXPECT_NEAR(static_cast<double>(found[c]), best[2 * c], 1e-7);
    std::vector<float> only(5, 2.0f);  // of this label alone
    only[c] = found[c];
    EXPECT_NEAR(f1_of(p, truth, only).macro * 5, best[2 * c + 1], 1e-12);
  }
  const F1 all = f1_of(p, truth, std::vector<float>(5, 0.35f));
  EXPECT_NEAR(all.macro, f1[0], 1e-12);
  EXPECT_NEAR(all.micro, f1[1], 1e-12);
}

TEST(Golden, ConformalPValuesAreCounts) {
  const OpenSetScale scale(golden().matrix("scores"));
  const std::vector<float> at = golden().floats("score_at", golden().tensor("score_at").count());
  const std::vector<double> expect = doubles("p_values");
  const OpenSetScore scores[] = {OpenSetScore::mahalanobis, OpenSetScore::nearest, OpenSetScore::energy};
  for (const OpenSetScore score : scores)
    for (Index i = 0; i < at.size(); ++i)
      EXPECT_DOUBLE_EQ(scale.p_value(score, at[i]), expect[static_cast<Index>(score) * at.size() + i]);
}

TEST(Golden, RelativeMahalanobisIsNumpys) {
  const Matrix x = golden().matrix("shape_x");
  Labels labels{{}, 3};
  for (const std::int64_t c : golden().integers("shape_labels")) labels.of.push_back(static_cast<Label>(c));
  const OpenSetShape shape = OpenSetShape::fit(x, labels, 0.01, {});
  const auto found = shape.score(x, Matrix(x.rows(), 3), HeadTask::multiclass, {});
  const std::vector<double> expect = doubles("mahalanobis");
  for (Index i = 0; i < x.rows(); ++i)
    EXPECT_NEAR(static_cast<double>(found.scores[i][static_cast<Index>(OpenSetScore::mahalanobis)]),
                expect[i], 2e-4 * std::max(1.0, std::abs(expect[i])));
}

TEST(Golden, WeightedRegressionsAreScikitLearns) {
  const Matrix x = golden().matrix("weighted_x");
  const std::vector<double> weights = doubles("weights");
  Labels labels{{}, 3};
  for (const std::int64_t c : golden().integers("weighted_labels"))
    labels.of.push_back(static_cast<Label>(c));
  const LogisticOptions how{.c = 2, .tol = 1e-8};
  Matrix p = logits_of(fit_softmax(x, labels, how, weights, nullptr, {}), x, {});
  const Calibration plain = Calibration::fit(CalibrationKind::none, HeadTask::multiclass, {}, {}),
                    each = Calibration::fit(CalibrationKind::none, HeadTask::multilabel, {}, {});
  const std::vector<double> one = doubles("weighted_softmax"), several = doubles("weighted_several");
  const LabelSets sets = sets_of(truth_of("weighted_sets", 3));
  Matrix q = logits_of(fit_one_vs_rest(x, sets, how, weights, nullptr, {}), x, {});
  for (Index i = 0; i < x.rows(); ++i) {
    plain.apply(p[i]), each.apply(q[i]);
    for (Index c = 0; c < 3; ++c) {
      EXPECT_NEAR(static_cast<double>(p[i][c]), one[i * 3 + c], 1e-4);
      EXPECT_NEAR(static_cast<double>(q[i][c]), several[i * 3 + c], 1e-4);
    }
  }
}

}  // namespace
}  // namespace shoal
