#include "shoal/cluster/selection/fit_range.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "shoal/core/error.h"
#include "shoal/store/vectors/rows_file.h"
#include "tests/error_of.h"

namespace shoal {
namespace {

/// `groups` directions of 20 rows each, a little apart within.
Matrix groups(Index groups_count) {
  Matrix x(20 * groups_count, groups_count);
  for (Index i = 0; i < x.rows(); ++i) {
    x[i][i / 20] = 1;
    x[i][(i / 20 + 1) % groups_count] = 0.01f * static_cast<float>(i % 20);
  }
  return x;
}

constexpr Criterion kAll[] = {Criterion::davies_bouldin, Criterion::davies_bouldin_cosine,
                              Criterion::silhouette,     Criterion::calinski_harabasz,
                              Criterion::elbow,          Criterion::stability};

TEST(FitRange, TheClustersAreThoseOfAFitWithTheChosenNumber) {
  const Matrix x = groups(4);
  for (const char* name : {"spherical_kmeans", "kmeans", "agglomerative", "vmf_mixture"})
    for (const Criterion criterion : kAll) {
      MethodOptions method = *method_named(name);
      const FittedChoice made = fit_range(
          x, method, {.range = ClusterRange{2, 9}, .criterion = criterion, .stability = {.resamples = 3}});
      method.set_n_clusters(made.chosen.n_clusters);
      EXPECT_EQ(labels_of(made.fitted), labels_of(fit_clusterer(x, method, {})))
          << name << ", " << name_of(criterion);
      EXPECT_EQ(made.tried.size(), 8u);
      EXPECT_EQ(made.judged.n_clusters, made.chosen.n_clusters);
      EXPECT_EQ(made.judged.measures.davies_bouldin, judge_labels(x, labels_of(made.fitted)).davies_bouldin);
      EXPECT_EQ(made.judged.stability.has_value(), criterion == Criterion::stability);
    }
}

/// A method without progress of its own says nothing: a fit that reports its rounds is one that came after.
TEST(FitRange, OnlyTheElbowFitsItsChoiceTwice) {
  const Matrix x = groups(3);
  for (const Criterion criterion : kAll) {
    std::map<std::string, int> steps;
    const shoal::Run run{.threads = 1, .stop = {}, .progress = [&](std::string_view step, double, double) {
                           ++steps[std::string(step)];
                         }};
    fit_range(x, *method_named("spherical_kmeans"),
              {.range = ClusterRange{2, 6}, .criterion = criterion, .stability = {.resamples = 2}}, run);
    EXPECT_EQ(steps.size(), criterion == Criterion::elbow ? 2u : 1u) << name_of(criterion);
    EXPECT_EQ(steps["numbers of clusters"], 6) << name_of(criterion);
  }
}

TEST(FitRange, TiesGoAsInTheChoice) {
  EXPECT_TRUE(is_chosen_over(Criterion::stability, 1, 1));
  EXPECT_FALSE(is_chosen_over(Criterion::silhouette, 1, 1));
  EXPECT_TRUE(is_chosen_over(Criterion::silhouette, 0.2, 0.1));
  EXPECT_TRUE(is_chosen_over(Criterion::davies_bouldin, 0.1, 0.2));
}

TEST(FitRange, TheRangeEndsWhereTheRowsDo) {
  Matrix x(12, 3);
  for (Index i = 0; i < 12; ++i) x[i][i % 3] = 1;
  for (const char* name : {"spherical_kmeans", "agglomerative"}) {
    const FittedChoice made = fit_range(x, *method_named(name), {.range = ClusterRange{2, 6}});
    ASSERT_EQ(made.tried.size(), 2u) << name;
    const Objection& ended = made.chosen.against.back();
    EXPECT_EQ(ended.code, "range_ended");
    EXPECT_EQ(ended.text.rfind("More than 3 clusters were not tried: ", 0), 0u) << ended.text;
    EXPECT_NE(ended.text.find("only 3 distinct"), std::string::npos) << ended.text;
    const Error none = error_of([&] { fit_range(x, *method_named(name), {.range = ClusterRange{5, 6}}); });
    EXPECT_EQ(none.fault, Fault::data);
    EXPECT_NE(std::string(none.what()).find("only 3 distinct"), std::string::npos) << none.what();
  }
}

// Where one direction is all there is to see, the mixture gives some numbers a single cluster: no measure has
// a value then, by no criterion.
TEST(FitRange, ANumberWithASingleClusterIsPassedOver) {
  const Rows x = open_rows(SHOAL_SOURCE "/tests/cases/offset300.npy");
  for (const Criterion criterion : kAll) {
    SCOPED_TRACE(name_of(criterion));
    const FittedChoice made =
        fit_range(x, *method_named("vmf_mixture"),
                  {.range = ClusterRange{2, 8}, .criterion = criterion, .stability = {.resamples = 2}});
    EXPECT_LT(made.tried.size(), 7u);
    for (const TriedK& t : made.tried) EXPECT_GE(t.measures.n_clusters, 2u);
    EXPECT_EQ(made.judged.n_clusters, made.chosen.n_clusters);
    const Objection& said = made.chosen.against.back();
    EXPECT_EQ(said.code, "passed_over");
    EXPECT_NE(said.text.find("only one"), std::string::npos) << said.text;
  }
}

TEST(FitRange, SingleClustersAloneAreAnError) {
  Matrix x(40, 3);
  for (Index i = 0; i < 40; ++i) x[i][0] = 1, x[i][1] = static_cast<float>(i) * 1e-7f;
  const Error e = error_of([&] {
    fit_range(x, *method_named("vmf_mixture"), {.range = ClusterRange{2, 4}});
  });
  EXPECT_EQ(e.fault, Fault::data);
}

TEST(FitRange, NumbersToTry) {
  const MethodOptions kmeans = *method_named("kmeans"), tree = *method_named("agglomerative");
  const auto spaced = numbers_to_try(kmeans, {}, 10000);
  EXPECT_EQ(spaced.size(), 16u);
  EXPECT_EQ(spaced.front(), 2u);
  EXPECT_EQ(spaced.back(), 200u);
  EXPECT_EQ(numbers_to_try(tree, {}, 10000).size(), 199u);
  EXPECT_EQ(numbers_to_try(kmeans, ClusterRange{5, 30}, 10000).size(), 26u);
  for (const ClusterRange bad : {ClusterRange{1, 3}, ClusterRange{4, 3}, ClusterRange{2, 11}})
    EXPECT_EQ(error_of([&] { numbers_to_try(kmeans, bad, 10); }).fault, Fault::argument);
  EXPECT_EQ(error_of([&] { numbers_to_try(kmeans, {}, 2); }).fault, Fault::data);
}

TEST(FitRange, TheDefaultNumberGivesWayToTheRows) {
  Matrix x(60, 2);
  for (Index i = 0; i < 60; ++i) x[i][i % 2] = 1;
  MethodOptions method = *method_named("spherical_kmeans");
  const AnyClusterer fitted = fit_default_number(x, method);
  EXPECT_EQ(labels_of(fitted).count, 2u);
  EXPECT_LT(labels_of(fitted).count, default_clusters(60));
}

}  // namespace
}  // namespace shoal
