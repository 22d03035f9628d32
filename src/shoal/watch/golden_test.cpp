#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "shoal/core/names.h"
#include "shoal/measure/classification.h"
#include "shoal/watch/anomalies.h"
#include "shoal/watch/drift.h"

namespace shoal {
namespace {

using Json = nlohmann::json;

/// What scikit-learn and scipy say (tests/golden/make_watch.py).
Json golden(const char* part) {
  std::ifstream in(SHOAL_SOURCE "/tests/golden/watch.json");
  return Json::parse(in).at(part);
}
Matrix rows_of(const Json& c, Index cols) {
  const std::vector<float> values = c.at("x");
  Matrix out(values.size() / cols, cols);
  std::copy(values.begin(), values.end(), out.data());
  return out;
}

TEST(Anomalies, EqualScikitLearn) {
  const Json c = golden("anomalies");
  const Matrix x = rows_of(c, c.at("cols"));
  const AnomalyOptions options{.n_neighbors = c.at("n_neighbors"), .lof_neighbors = c.at("lof_neighbors")};
  const Anomalies found = Anomalies::fit(Rows(x), {}, options, {});
  for (const auto score :
       {AnomalyScore::knn, AnomalyScore::lof, AnomalyScore::mahalanobis, AnomalyScore::reconstruction}) {
    const std::vector<double> theirs = c.at(name_of(score));
    ASSERT_EQ(theirs.size(), x.rows());
    for (Index i = 0; i < x.rows(); ++i)
      EXPECT_NEAR(found.scores(score)[i], theirs[i], 1e-4 * std::max(0.1, theirs[i]))
          << name_of(score) << " of row " << i;
  }
  const std::vector<double> coarse = c.at("coarse");
  EXPECT_NEAR(average_precision(coarse, c.at("planted")), c.at("average_precision").get<double>(), 1e-12);
  const Index planted = c.at("planted");
  const std::span<const double> all(coarse);
  EXPECT_NEAR(area_under_roc(all.last(planted), all.first(coarse.size() - planted)),
              c.at("auroc").get<double>(), 1e-12);
}

TEST(DriftStudy, EqualsScipyAndScikitLearn) {
  const Json c = golden("groups");
  const Matrix x = rows_of(c, c.at("cols"));
  Labels blocks{{}, x.rows()}, clusters{c.at("clusters"), 4};
  std::vector<Index> sides[2];
  for (Index i = 0; i < x.rows(); ++i) {
    blocks.of.push_back(static_cast<Label>(i));
    sides[i >= c.at("old").get<Index>()].push_back(i);
  }
  DriftOptions options;
  options.tests = drift_tests("mmd,g-test,kl-clusters,hotelling,mean-shift,energy");
  options.permutations = 19;
  const DriftStudy study(Rows(x), blocks, clusters, options, {});
  const DriftResult found = study.compare(sides[0], sides[1], {});
  const std::vector<double> widths = c.at("widths"), mmd = c.at("mmd");
  for (const DriftTestResult& test : found.tests) {
    double theirs = 0;
    if (test.test == DriftTest::mmd) {  // between the two widths beside the program's
      const double at = (study.bandwidth() - widths.front()) / (widths[1] - widths[0]);
      ASSERT_GE(at, 0);
      ASSERT_LT(static_cast<Index>(at) + 1, mmd.size());
      const auto i = static_cast<Index>(at);
      theirs = mmd[i] + (at - static_cast<double>(i)) * (mmd[i + 1] - mmd[i]);
    } else {
      theirs = c.at(name_of(test.test));
    }
    EXPECT_NEAR(test.distance, theirs, 2e-5 * std::max(0.1, std::abs(theirs))) << name_of(test.test);
  }
}

TEST(DriftStudy, PValueOfAllDealsEqualsScipy) {
  const Json c = golden("deals");
  const Matrix x = rows_of(c, 1);
  Labels blocks{{}, x.rows()};
  std::vector<Index> sides[2];
  for (Index i = 0; i < x.rows(); ++i) {
    blocks.of.push_back(static_cast<Label>(i));
    sides[i >= c.at("old").get<Index>()].push_back(i);
  }
  DriftOptions options;
  options.tests = {DriftTest::mean_shift};
  const DriftResult found = DriftStudy(Rows(x), blocks, {}, options, {}).compare(sides[0], sides[1], {});
  EXPECT_TRUE(found.exact);
  EXPECT_EQ(found.deals, 126u);
  EXPECT_DOUBLE_EQ(found.p_val, c.at("p_val").get<double>());
}

}  // namespace
}  // namespace shoal
