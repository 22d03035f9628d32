#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <map>
#include <string>

#include "shoal/core/error.h"
#include "shoal/core/random.h"
#include "shoal/flow/evaluation/evaluate.h"
#include "shoal/kernels/kernels.h"
#include "shoal/linear/norms.h"
#include "tests/error_of.h"
#include "tests/scratch_folder.h"

namespace shoal {
namespace {

/// Text "t7": numbers drawn from 7.
Matrix by_heart(const Texts& texts) {
  Matrix out(texts.size(), 8);
  for (Index i = 0; i < texts.size(); ++i) {
    const Random random(Seed{std::stoul(std::string(texts[i].substr(1)))});
    for (Index j = 0; j < out.cols(); ++j) out[i][j] = static_cast<float>(random.normal(j));
  }
  unit_rows(out.span());
  return out;
}

/// A scorer of pairs that says what cosines say.
std::vector<float> cosines(const Texts& firsts, const Texts& seconds) {
  const Matrix a = by_heart(firsts), b = by_heart(seconds);
  std::vector<float> out;
  for (Index i = 0; i < a.rows(); ++i) out.push_back(kernels().dot(a[i].data(), b[i].data(), a.cols()));
  return out;
}

std::map<std::string, double> values_of(const Evaluation& found) {
  std::map<std::string, double> out;
  for (const NamedMetric& metric : found.metrics) out[metric.name] = metric.value;
  return out;
}

class EvaluatePairs : public ::testing::Test {
 protected:
  EvaluationTask task(TaskKind kind, const std::string& text) const {
    std::ofstream(folder_ / "t.csv") << text;
    ReadTaskOptions o;
    o.task = kind, o.file = folder_ / "t.csv";
    return read_evaluation(o, {});
  }
  /// Every metric of pairs is that of cosines, under the name that `called` gives it.
  template <class Called>
  void expect_same(const EvaluationTask& task, const char* main, Index count, Called&& called) const {
    const Evaluation found = evaluate_pairs(task, cosines, {});
    auto expected = values_of(evaluate(task, by_heart, {}));
    EXPECT_EQ(found.main, main);
    EXPECT_EQ(found.metrics.size(), count);
    EXPECT_EQ(found.dims, 0u);
    for (const NamedMetric& metric : found.metrics) {
      const std::string name = called(metric.name);
      ASSERT_TRUE(expected.contains(name)) << name;
      EXPECT_NEAR(metric.value, expected[name], 1e-6) << name;
    }
    EXPECT_LE(found.value.low, found.value.value);
    EXPECT_LE(found.value.value, found.value.high);
    EXPECT_EQ(found.value.value, values_of(found)[found.main]);
  }
  const ScratchFolder folder_;
};

std::string text_of(Index number) { return "t" + std::to_string(number); }

TEST_F(EvaluatePairs, MetricsAreThoseOfCosines) {
  const Random random({3});
  std::string scored = "sentence1,sentence2,score\n", labelled = "sentence1,sentence2,label\n",
              triplets = "anchor,positive,negative\n", candidates = "query,passage,label\n";
  for (Index i = 0; i < 60; ++i) {
    const auto t = [&](Index which) { return text_of(random.below(8 * i + which, 40)); };
    scored += t(0) + "," + t(1) + "," + std::to_string(random.uniform(8 * i + 2)) + "\n";
    labelled += t(0) + "," + t(1) + "," + std::to_string(random.below(8 * i + 3, 2)) + "\n";
    triplets += t(0) + "," + t(1) + "," + t(4) + "\n";
    candidates += text_of(i % 6) + "," + text_of(100 + i) + "," + std::to_string(i % 5 == 0) + "\n";
  }
  expect_same(task(TaskKind::sts, scored), "spearman", 2,
              [](const std::string& name) { return name + "_cosine"; });
  expect_same(task(TaskKind::pairs, labelled), "average_precision", 8, [](const std::string& name) {
    return "cosine_" + (name == "average_precision" ? "ap" : name);
  });
  expect_same(task(TaskKind::triplet, triplets), "accuracy", 1,
              [](const std::string& name) { return "cosine_" + name; });
  expect_same(task(TaskKind::rerank, candidates), "ndcg@10", 3, [](const std::string& name) { return name; });
}

TEST_F(EvaluatePairs, RefusesWhatNeedsVectorsAndWhatIsNoScore) {
  const EvaluationTask labels = task(TaskKind::clustering, "text,label\nt1,a\nt2,a\nt3,b\nt4,b\n");
  EXPECT_EQ(error_of([&] { evaluate_pairs(labels, cosines, {}); }).fault, Fault::argument);
  const EvaluationTask pairs = task(TaskKind::pairs, "sentence1,sentence2,label\nt1,t2,1\nt3,t4,0\n");
  const auto refused = [&](std::vector<float> scores) {
    return error_of(
        [&] { evaluate_pairs(pairs, [scores](const Texts&, const Texts&) { return scores; }, {}); });
  };
  EXPECT_EQ(refused({1}).fault, Fault::data);
  const Error nan = refused({1, NAN});
  EXPECT_EQ(nan.fault, Fault::data);
  EXPECT_NE(std::string(nan.what()).find("t3"), std::string::npos);
}

}  // namespace
}  // namespace shoal
