#include "shoal/classify/cluster_classifier.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "shoal/core/error.h"
#include "shoal/core/random.h"
#include "shoal/store/archive/archive.h"
#include "tests/error_of.h"
#include "tests/matrices.h"
#include "tests/scratch_folder.h"

namespace shoal {
namespace {

struct Sample {
  Matrix x;
  Labels labels;
};
/// Rows around `clusters` directions, in turn.
Sample bunches(Index rows, Index cols, Index clusters, double spread, std::uint64_t seed = 23) {
  const Random centres({7}), random({seed});
  Sample s{Matrix(rows, cols), {std::vector<Label>(rows), clusters}};
  for (Index i = 0; i < rows; ++i) {
    const Index c = i % clusters;
    s.labels.of[i] = static_cast<Label>(c);
    for (Index j = 0; j < cols; ++j)
      s.x[i][j] = static_cast<float>(centres.normal(c * cols + j) + spread * random.normal(i * cols + j));
  }
  return s;
}

bool says(const Error& e, const std::string& words) {
  return std::string(e.what()).find(words) != std::string::npos;
}

TEST(CentroidFeatures, AnswerMadeByHand) {
  Matrix x(4, 2);  // cluster 0: (2, 0), (0, 5); cluster 1: (-3, 0), and a row of zeros
  x[0][0] = 2, x[1][1] = 5, x[2][0] = -3;
  const Labels labels{{0, 0, 1, 1}, 2};
  const auto cosine = CentroidFeatures::fit(x, labels);
  const float s = std::sqrt(0.5f);
  EXPECT_NEAR(cosine.centroids()[0][0], s, 1e-6);
  EXPECT_NEAR(cosine.centroids()[0][1], s, 1e-6);
  EXPECT_EQ(cosine.centroids()[1][0], -1);
  const Matrix d = cosine.transform(x);
  EXPECT_NEAR(d[0][0], 1 - s, 1e-6);
  EXPECT_NEAR(d[0][1], 2, 1e-6);
  EXPECT_EQ(d[3][0], 1);
  EXPECT_EQ(d[3][1], 1);
  EXPECT_EQ(cosine.predict(x).of, (std::vector<Label>{0, 0, 1, kNoise}));

  const auto euclidean = CentroidFeatures::fit(x, labels, {Metric::euclidean});
  EXPECT_EQ(euclidean.centroids()[0][1], 2.5f);
  EXPECT_EQ(euclidean.centroids()[1][0], -1.5f);
  const Matrix distances = euclidean.transform(x);
  EXPECT_NEAR(distances[0][0], std::hypot(1, 2.5), 1e-6);
  EXPECT_EQ(distances[2][1], 1.5f);
  EXPECT_EQ(euclidean.predict(x).of[3], 1);
}

TEST(CentroidFeatures, NoiseIsLeftOutAndAnEmptyClusterNamed) {
  Matrix x(3, 1);
  x[0][0] = 1, x[1][0] = 3, x[2][0] = 100;
  const auto f = CentroidFeatures::fit(x, {{0, 0, kNoise}, 1}, {Metric::euclidean});
  EXPECT_EQ(f.centroids()[0][0], 2);
  const Error e = error_of([&] { CentroidFeatures::fit(x, {{0, 2, 2}, 3}); });
  EXPECT_EQ(e.fault, Fault::data);
  EXPECT_TRUE(says(e, "cluster 1")) << e.what();
  EXPECT_EQ(error_of([&] { CentroidFeatures::fit(x, {{kNoise, kNoise, kNoise}, 0}); }).fault, Fault::data);
  EXPECT_EQ(error_of([&] { CentroidFeatures::fit(Matrix(2, 0), {{0, 0}, 1}); }).fault, Fault::data);
}

TEST(CentroidFeatures, HoldsRowsWhoseSquaresLeaveTheRangeOfFloat) {
  Matrix x = scattered(60, 4, 3, 7);
  Labels labels{std::vector<Label>(60), 3};
  for (Index i = 0; i < 60; ++i) labels.of[i] = static_cast<Label>(i % 3);
  const Matrix near = CentroidFeatures::fit(x, labels, {Metric::euclidean}).transform(x);
  for (Index i = 0; i < 240; ++i) x.data()[i] *= 0x1p70f;
  const Matrix far = CentroidFeatures::fit(x, labels, {Metric::euclidean}).transform(x);
  for (Index i = 0; i < 180; ++i) EXPECT_EQ(far.data()[i], near.data()[i] * 0x1p70f);
}

TEST(ClusterClassifier, PlacesNewRows) {
  const auto [x, labels] = bunches(1000, 20, 5, 0.4);
  const auto [fresh, truth] = bunches(500, 20, 5, 0.4, 99);
  for (const ClassifierRule rule : {ClassifierRule::logistic, ClassifierRule::nearest}) {
    const auto k = ClusterClassifier::fit(x, labels, {.rule = rule});
    EXPECT_GT(k.training_agreement(), 0.99);
    EXPECT_NEAR(k.training_unlike(), 0.005, 0.005);
    const Classified said = k.classify(fresh);
    double right = 0, unlike = 0;
    for (Index i = 0; i < 500; ++i) {
      right += said.likeliest[i] == truth.of[i];
      unlike += said.unlike[i];
      EXPECT_EQ(said.labels.of[i], said.unlike[i] ? kNoise : said.likeliest[i]);
      EXPECT_EQ(std::ranges::max_element(said.probabilities[i]) - said.probabilities[i].begin(),
                said.likeliest[i]);
    }
    EXPECT_GT(right, 490);
    EXPECT_LT(unlike, 30);
    EXPECT_EQ(k.predict(fresh), said.labels);
    EXPECT_TRUE(k.predict_proba(fresh) == said.probabilities);
    EXPECT_EQ(k.logistic() != nullptr, rule == ClassifierRule::logistic);
  }
}

TEST(ClusterClassifier, ARowFarFromAllIsUnlikeAny) {
  const auto [x, labels] = bunches(600, 30, 3, 0.3);
  Matrix strange(3, 30);  // at random; the opposite of a row; zeros
  for (Index j = 0; j < 30; ++j) {
    strange[0][j] = static_cast<float>(Random({1234}).normal(j));
    strange[1][j] = -x[0][j];
  }
  const Classified said = ClusterClassifier::fit(x, labels).classify(strange);
  EXPECT_EQ(said.unlike, (std::vector<std::uint8_t>{1, 1, 1}));
  EXPECT_EQ(said.labels.of, std::vector<Label>(3, kNoise));
  for (Index i = 0; i < 3; ++i) {
    EXPECT_GE(said.likeliest[i], 0);
    EXPECT_NEAR(said.probabilities[i][0] + said.probabilities[i][1] + said.probabilities[i][2], 1, 1e-5);
  }
  const Classified never = ClusterClassifier::fit(x, labels, {.unlike_quantile = 0}).classify(strange);
  EXPECT_EQ(never.unlike, std::vector<std::uint8_t>(3));
}

TEST(ClusterClassifier, TheLimitIsTheQuantileOfTheClustersOwnRows) {
  Matrix x(12, 1);  // 0: 0, 1, .. 9 about 4.5; 1: 100 and 102 about 101
  for (Index i = 0; i < 10; ++i) x[i][0] = static_cast<float>(i);
  x[10][0] = 100, x[11][0] = 102;
  const Labels labels{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1}, 2};
  const auto limits = [&](double quantile) {
    return ClusterClassifier::fit(
               x, labels,
               {.rule = ClassifierRule::nearest, .metric = Metric::euclidean, .unlike_quantile = quantile})
        .limits();
  };
  EXPECT_EQ(limits(1), (std::vector<float>{4.5f, 1}));
  EXPECT_EQ(limits(0.8), (std::vector<float>{3.5f, 1}));
  EXPECT_EQ(limits(0.81), (std::vector<float>{4.5f, 1}));
  EXPECT_EQ(limits(0)[0], std::numeric_limits<float>::infinity());
}

TEST(ClusterClassifier, GapsAndNoiseInTheLabels) {
  auto [x, labels] = bunches(300, 10, 3, 0.3);
  for (Label& l : labels.of) l = l == 0 ? kNoise : 2 * l;  // 2, 4 of 6
  labels.count = 6;
  const auto k = ClusterClassifier::fit(x, labels);
  EXPECT_EQ(k.clusters(), (std::vector<Label>{2, 4}));
  EXPECT_EQ(k.n_clusters(), 6u);
  const Classified said = k.classify(x);
  ASSERT_EQ(said.probabilities.cols(), 6u);
  EXPECT_EQ(said.labels.count, 6u);
  EXPECT_EQ(k.transform(x).cols(), 2u);
  for (Index i = 0; i < 300; ++i) {
    EXPECT_EQ(said.probabilities[i][0], 0);
    if (labels.of[i] != kNoise) {
      EXPECT_EQ(said.likeliest[i], labels.of[i]);
    }
  }
  EXPECT_EQ(k.training_agreement(), 1);
}

TEST(ClusterClassifier, SavedAndLoadedIsTheSame) {
  const auto [x, labels] = bunches(200, 6, 4, 0.8);
  const ScratchFolder folder;
  for (const ClusterClassifierOptions& o :
       {ClusterClassifierOptions{}, {.rule = ClassifierRule::nearest, .metric = Metric::euclidean}}) {
    const auto k = ClusterClassifier::fit(x, labels, o);
    ArchiveWriter out(ClusterClassifier::kind);
    k.save(out);
    out.write(folder / "k");
    const auto loaded = ClusterClassifier::load(ArchiveReader(folder / "k"));
    const Classified a = k.classify(x), b = loaded.classify(x);
    EXPECT_EQ(a.labels, b.labels);
    EXPECT_TRUE(a.probabilities == b.probabilities);
    EXPECT_EQ(loaded.options().rule, o.rule);
    EXPECT_EQ(loaded.training_agreement(), k.training_agreement());
    EXPECT_EQ(loaded.training_unlike(), k.training_unlike());
  }
}

TEST(ClusterClassifier, RefusesWhatItCannotDo) {
  const auto [x, labels] = bunches(60, 4, 3, 0.3);
  for (const double bad : {-0.1, 1.1, std::nan("")})
    EXPECT_EQ(error_of([&] { ClusterClassifier::fit(x, labels, {.unlike_quantile = bad}); }).fault,
              Fault::argument);
  EXPECT_EQ(error_of([&] { ClusterClassifier::fit(x, labels, {.c = 0}); }).fault, Fault::argument);
  EXPECT_TRUE(says(error_of([&] { ClusterClassifier::fit(x, {{0}, 1}); }), "1 labels for 60 rows"));
  const Labels one{std::vector<Label>(60, 0), 1};
  EXPECT_TRUE(says(error_of([&] { ClusterClassifier::fit(x, one); }), "at least 2"));
  EXPECT_EQ(ClusterClassifier::fit(x, one, {.rule = ClassifierRule::nearest}).training_agreement(), 1);
  const Labels none{std::vector<Label>(60, kNoise), 3};
  EXPECT_EQ(error_of([&] { ClusterClassifier::fit(x, none); }).fault, Fault::data);
}

TEST(CrossValidate, MeasuresHeldOutRows) {
  const auto [x, labels] = bunches(500, 10, 5, 1.6);  // overlapping: held-out rows do worse
  const auto cv = cross_validate(x, labels, {});
  EXPECT_EQ(cv.folds.size(), 5u);
  const double own = ClusterClassifier::fit(x, labels).training_agreement();
  EXPECT_LT(cv.agreement, own);
  EXPECT_GT(cv.agreement, 0.6);
  EXPECT_EQ(cross_validate(x, labels, {}, 5, {42}, {.threads = 1}).folds, cv.folds);
  EXPECT_NE(cross_validate(x, labels, {}, 5, {43}).folds, cv.folds);
}

/// Labels that have nothing to do with the rows are not found on held-out rows.
TEST(CrossValidate, RandomLabelsAreNotFound) {
  auto [x, labels] = bunches(600, 8, 3, 0.5);
  for (Index i = 0; i < 600; ++i) labels.of[i] = static_cast<Label>(Random({77}).below(i, 3));
  EXPECT_NEAR(cross_validate(x, labels, {}).agreement, 1.0 / 3, 0.08);
}

TEST(CrossValidate, AClusterOfOneRowIsNeverFoundWithoutIt) {
  auto [x, labels] = bunches(60, 8, 3, 0.1);
  labels.of[0] = 3, labels.of[1] = kNoise, labels.count = 4;
  const auto cv = cross_validate(x, labels, {}, 3);
  EXPECT_NEAR(cv.agreement, 58.0 / 59, 1e-12);
  Matrix bad = x;
  bad[33][1] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(says(error_of([&] { cross_validate(bad, labels, {}, 3); }), "row 33"));
}

}  // namespace
}  // namespace shoal
