#include "shoal/cluster/selection/choose.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string>

#include "shoal/cluster/selection/fit_range.h"
#include "shoal/core/error.h"
#include "shoal/core/random.h"
#include "tests/error_of.h"

namespace shoal {
namespace {

constexpr Criterion kAll[] = {Criterion::davies_bouldin, Criterion::davies_bouldin_cosine,
                              Criterion::silhouette,     Criterion::calinski_harabasz,
                              Criterion::elbow,          Criterion::stability};

/// `clusters` groups at equal angles to each other, of `each` rows; rows of a group stand one after another.
Matrix blobs(Index clusters, Index each, double width = 0.1) {
  const Random random({8});
  Matrix x(clusters * each, clusters + 2);
  for (Index i = 0; i < x.rows(); ++i)
    for (Index j = 0; j < x.cols(); ++j)
      x[i][j] = static_cast<float>((j == i / each) + width * random.normal(i * x.cols() + j));
  return x;
}

/// Joins the two nearest clusters by the Euclidean distance of their means, smallest first: good enough here.
Dendrogram join_means(const Rows& rows) {
  const Matrix x = rows.to_matrix();
  const Index n = x.rows(), d = x.cols();
  std::vector<std::vector<double>> mean;
  std::vector<std::uint32_t> id, size(n, 1);
  for (Index i = 0; i < n; ++i)
    mean.emplace_back(x[i].begin(), x[i].end()), id.push_back(static_cast<std::uint32_t>(i));
  Dendrogram tree{n, {}};
  while (id.size() > 1) {
    double best = std::numeric_limits<double>::infinity();
    Index a = 0, b = 0;
    for (Index i = 0; i < id.size(); ++i)
      for (Index j = 0; j < i; ++j) {
        double squared = 0;
        for (Index t = 0; t < d; ++t) squared += (mean[i][t] - mean[j][t]) * (mean[i][t] - mean[j][t]);
        if (squared < best) best = squared, a = j, b = i;
      }
    const double wa = size[a], wb = size[b];
    for (Index t = 0; t < d; ++t) mean[a][t] = (wa * mean[a][t] + wb * mean[b][t]) / (wa + wb);
    size[a] += size[b];
    tree.merges.push_back({std::min(id[a], id[b]), std::max(id[a], id[b]), std::sqrt(best), size[a]});
    id[a] = static_cast<std::uint32_t>(n + tree.merges.size() - 1);
    id.erase(id.begin() + static_cast<std::ptrdiff_t>(b));
    mean.erase(mean.begin() + static_cast<std::ptrdiff_t>(b));
    size.erase(size.begin() + static_cast<std::ptrdiff_t>(b));
  }
  return tree;
}

/// A number tried whose only measure is its Davies-Bouldin index; the others do not speak.
TriedK tried(Index k, double davies_bouldin) {
  TriedK t;
  t.n_clusters = t.measures.n_clusters = k;
  t.measures.davies_bouldin = t.measures.davies_bouldin_cosine = davies_bouldin;
  t.measures.calinski_harabasz = 10 / davies_bouldin;
  t.measures.inertia = 1;
  t.measures.rows = 100;
  t.measures.smallest = t.measures.largest = 100 / k;
  return t;
}

std::vector<std::string> texts(const std::vector<Objection>& objections) {
  std::vector<std::string> out;
  for (const Objection& o : objections) out.push_back(o.text);
  return out;
}

std::vector<std::string> against(const std::vector<TriedK>& all) {
  return texts(choose_k(Criterion::davies_bouldin, all).against);
}

TEST(ChooseK, EveryCriterionFindsTheBlobs) {
  const Matrix x = blobs(6, 25);
  for (const char* method : {"agglomerative", "spherical_kmeans"}) {
    FitRangeOptions options{
        .range = ClusterRange{2, 12}, .criterion = Criterion::stability, .stability = {.resamples = 5}};
    const auto all = fit_range(x, *method_named(method), options).tried;
    ASSERT_EQ(all.size(), 11u);
    for (const Criterion c : kAll) {
      const ChosenK k = choose_k(c, all);
      EXPECT_EQ(k.n_clusters, 6u) << method << ", " << name_of(c) << ": " << k.why;
      EXPECT_EQ(k.picks.size(), 6u);
      if (c == Criterion::stability) continue;  // 5 of them are stable too, if not quite as stable
      EXPECT_TRUE(k.against.empty()) << k.against.front().text;
    }
  }
}

TEST(ChooseK, EveryCutIsJudgedAsIfAlone) {
  const Matrix x = blobs(5, 40, 0.6);
  const Dendrogram tree = join_means(x);
  for (const Metric metric : {Metric::cosine, Metric::euclidean}) {
    const auto all = judge_dendrogram(x, tree, {2, 150}, {.metric = metric});
    ASSERT_EQ(all.size(), 149u);
    for (Index k = 2; k <= 150; ++k) {
      const Separation &one = judge_labels(x, tree.cut(k), {.metric = metric}), &cut = all[k - 2];
      EXPECT_EQ(cut.n_clusters, k);
      EXPECT_EQ(cut.smallest, one.smallest);
      EXPECT_EQ(cut.largest, one.largest);
      EXPECT_NEAR(cut.balance, one.balance, 1e-9) << k;
      EXPECT_NEAR(*cut.silhouette, *one.silhouette, 1e-9) << k;
      EXPECT_NEAR(cut.davies_bouldin, one.davies_bouldin, 1e-9) << k;
      EXPECT_NEAR(cut.davies_bouldin_cosine, one.davies_bouldin_cosine, 1e-9) << k;
      EXPECT_NEAR(cut.calinski_harabasz / one.calinski_harabasz, 1, 1e-9) << k;
      EXPECT_NEAR(cut.inertia, one.inertia, 1e-9) << k;
    }
  }
}

TEST(ChooseK, SaysWhy) {
  const std::vector<TriedK> all{tried(2, 1.5), tried(3, 1.2), tried(4, 0.8), tried(5, 1.1), tried(6, 1.3)};
  const ChosenK k = choose_k(Criterion::davies_bouldin, all);
  EXPECT_EQ(k.n_clusters, 4u);
  EXPECT_EQ(k.value, 0.8);
  EXPECT_EQ(k.second, 5u);
  EXPECT_EQ(k.second_value, 1.1);
  EXPECT_EQ(k.tried_min, 2u);
  EXPECT_EQ(k.tried_max, 6u);
  EXPECT_EQ(k.why,
            "4 clusters have the lowest Davies-Bouldin index, 0.8 (tried: 5 numbers from 2 to 6); next best: "
            "5 clusters "
            "with 1.1.");
  EXPECT_EQ(k.picks.size(), 4u);  // no silhouette, no stability
}

TEST(ChooseK, SaysWhatSpeaksAgainstIt) {
  std::vector<TriedK> all{tried(2, 1.5), tried(3, 1.2), tried(4, 0.8), tried(5, 1.1), tried(6, 1.3)};
  const std::string bend = "Other criteria choose otherwise: the elbow 2.";  // it is level
  EXPECT_EQ(against(all), std::vector<std::string>{bend});
  all[0].measures.inertia = 10;
  all[1].measures.inertia = 1.5;
  EXPECT_EQ(against(all), std::vector<std::string>{"Other criteria choose otherwise: the elbow 3."});
  all[1].measures.inertia = 6;
  EXPECT_TRUE(against(all).empty());

  all[3].measures.davies_bouldin = 0.81;
  EXPECT_EQ(against(all), std::vector<std::string>{"5 clusters are nearly as good: 0.81 against 0.8."});
  all[3].measures.davies_bouldin = 1.1;
  all[2].measures.largest = 60;
  EXPECT_EQ(against(all), std::vector<std::string>{"One cluster holds 60 of 100 rows, more than half."});
  all[2].measures.largest = 50;
  all[2].measures.silhouette = 0.2;
  EXPECT_EQ(against(all),
            std::vector<std::string>{"The silhouette is 0.2: below 0.25 clusters hardly stand apart."});
  all[2].measures.silhouette = {};
  all[2].measures.n_clusters = 3;
  EXPECT_EQ(against(all), std::vector<std::string>{"The method found only 3 clusters."});
  all[2].measures.n_clusters = 4;
  all[2].stability = Stability{.mean = 0.5, .spread = 0.1};
  EXPECT_EQ(against(all),
            std::vector<std::string>{"On resamples the clusters come back with an adjusted Rand index of "
                                     "only 0.5 (spread 0.1): below 0.6 they are not stable."});
}

TEST(ChooseK, WhatSpeaksAgainstItIsAValueToo) {
  const auto codes = [](const std::vector<Objection>& objections) {
    std::string out;
    for (const Objection& o : objections) {
      out += o.code + "(";
      for (const Field& f : o.values) out += f.name + " ";
      out += ") ";
      EXPECT_EQ(o.text.back(), '.');
    }
    return out;
  };
  std::vector<TriedK> all{tried(2, 1.01), tried(3, 1.03), tried(4, 1), tried(5, 1.02)};
  all[2].measures.largest = 60;
  all[2].measures.silhouette = 0.2;
  all[2].measures.n_clusters = 3;
  all[2].stability = Stability{.mean = 0.5, .spread = 0.1};
  EXPECT_EQ(codes(choose_k(Criterion::davies_bouldin, all).against),
            "close_second(n_clusters value best ) flat_curve(best median ) fewer_found(asked found ) "
            "one_large_cluster(largest rows ) low_silhouette(silhouette ) "
            "unstable_clusters(adjusted_rand_mean adjusted_rand_spread ) criteria_disagree(elbow ) ");
  EXPECT_EQ(codes(choose_k(Criterion::elbow, all).against),
            "at_the_edge(n_clusters edge ) close_second(n_clusters value best ) no_bend(bend ) "
            "criteria_disagree(davies_bouldin davies_bouldin_cosine calinski_harabasz ) ");
  EXPECT_EQ(codes(choose_k(Criterion::davies_bouldin, {tried(3, 3)}).against), "only_one_tried() ");
  const auto noise = doubts_of_noise(51, 100);
  EXPECT_EQ(codes(noise), "mostly_noise(noise rows ) ");
  EXPECT_EQ(noise[0].text, "More than half of the rows, 51 of 100, are in no cluster.");
  EXPECT_EQ(std::get<std::int64_t>(noise[0].values[0].value), 51);
  EXPECT_TRUE(doubts_of_noise(50, 100).empty());
}

TEST(ChooseK, SaysThatTheRangeMayBeToBlame) {
  const auto first = [](const std::vector<TriedK>& all) { return against(all).at(0); };
  EXPECT_EQ(first({tried(2, 1), tried(3, 2), tried(4, 3)}),
            "2 clusters are the fewest that were tried: the rows may not fall into clusters at all.");
  EXPECT_EQ(first({tried(3, 1), tried(4, 2), tried(5, 3)}),
            "3 clusters are the fewest that were tried: fewer may be better.");
  EXPECT_EQ(first({tried(3, 3), tried(4, 2), tried(5, 1)}),
            "5 clusters are the most that were tried: more may be better.");
  EXPECT_EQ(first({tried(3, 3)}), "No other number was tried.");
  const ChosenK one = choose_k(Criterion::davies_bouldin, {tried(3, 3)});
  EXPECT_FALSE(one.second.has_value());
  EXPECT_EQ(one.why, "3 clusters have the lowest Davies-Bouldin index, 3 (tried: 1 number).");
}

TEST(ChooseK, AFlatCurveIsWeakEvidence) {
  const auto said = against({tried(2, 1.01), tried(3, 1.03), tried(4, 1), tried(5, 1.02), tried(6, 1.04)});
  EXPECT_EQ(said[1], "The curve is flat (the median is 1.02): weak evidence for any number.");
}

TEST(ChooseK, TiesAreDecided) {
  std::vector<TriedK> all{tried(2, 1), tried(3, 1), tried(4, 1)};
  EXPECT_EQ(choose_k(Criterion::davies_bouldin, all).n_clusters, 2u);
  for (TriedK& t : all) t.stability = Stability{.mean = 1};
  EXPECT_EQ(choose_k(Criterion::stability, all).n_clusters, 4u);
}

TEST(ChooseK, TheElbowByHand) {
  std::vector<TriedK> all{tried(2, 1), tried(3, 1), tried(6, 1)};
  all[0].measures.inertia = 11, all[1].measures.inertia = 3, all[2].measures.inertia = 1;
  const std::vector<double> values = criterion_values(Criterion::elbow, all);
  EXPECT_NEAR(values[1], 1 - 0.25 - 0.2, 1e-15);
  EXPECT_EQ(values[0], 0);
  EXPECT_EQ(values[2], 0);
  EXPECT_EQ(choose_k(Criterion::elbow, all).why,
            "At 3 clusters the inertia lies furthest below the chord from 2 to 6 clusters: by 0.55 of its "
            "fall; next "
            "best: 2 clusters with 0.");
}

// Scikit-learn's index is 1 where no cluster has any spread: as a criterion that would be the worst.
TEST(ChooseK, CalinskiHarabaszOfEqualRows) {
  Matrix x(30, 4);
  for (Index i = 0; i < 30; ++i) x[i][i % 3] = 1, x[i][3] = static_cast<float>(i % 3);
  const auto all = fit_range(x, *method_named("spherical_kmeans"), {.range = ClusterRange{2, 3}}).tried;
  EXPECT_EQ(choose_k(Criterion::calinski_harabasz, all).n_clusters, 3u);
}

TEST(ChooseK, RefusesWhatCannotBeChosen) {
  const auto says = [](const std::function<void()>& f, const std::string& message) {
    const Error e = error_of(f);
    EXPECT_EQ(e.fault, Fault::argument);
    EXPECT_EQ(e.what(), message);
  };
  says(
      [] {
        choose_k(Criterion::elbow, {tried(2, 1), tried(3, 1)});
      },
      "an elbow needs at least 3 numbers of clusters; tried: 2");
  says([] { choose_k(Criterion::silhouette, {tried(2, 1)}); },
       "silhouette was not computed for every number of clusters");
  says([] { choose_k(Criterion::stability, {tried(2, 1)}); },
       "stability was not computed for every number of clusters");
  const std::string order = "to choose takes at least one number of clusters, in ascending order";
  says([] { choose_k(Criterion::elbow, {}); }, order);
  says([] { choose_k(Criterion::davies_bouldin, {tried(3, 1), tried(3, 1)}); }, order);
  const Matrix x = blobs(2, 5);
  const Dendrogram tree = join_means(x);
  for (const ClusterRange range : {ClusterRange{1, 3}, ClusterRange{2, 11}, ClusterRange{4, 3}})
    says([&] { judge_dendrogram(x, tree, range); }, "numbers of clusters from " + std::to_string(range.min) +
                                                        " to " + std::to_string(range.max) +
                                                        " for 10 rows; allowed: from 2, to at most the rows");
  says(
      [&] {
        judge_dendrogram(blobs(3, 5), tree, {2, 3});
      },
      "the dendrogram is of 10 rows, but there are 15");
}

// Davies-Bouldin is infinite where two clusters have one centre.
TEST(ChooseK, AnInfiniteIndexIsNeverChosen) {
  const double inf = std::numeric_limits<double>::infinity();
  const ChosenK k = choose_k(Criterion::davies_bouldin, {tried(2, inf), tried(3, 2), tried(4, inf)});
  EXPECT_EQ(k.n_clusters, 3u);
  EXPECT_FALSE(k.second.has_value());
  EXPECT_EQ(k.why.find("inf"), std::string::npos) << k.why;
  for (const Criterion c : {Criterion::davies_bouldin, Criterion::davies_bouldin_cosine}) {
    const Error e = error_of([&] { choose_k(c, {tried(2, inf), tried(3, inf)}); });
    EXPECT_EQ(e.fault, Fault::data);
    EXPECT_NE(std::string(e.what()).find("same centre"), std::string::npos) << e.what();
  }
  std::vector<TriedK> silent{tried(2, inf), tried(3, inf)};  // other criteria can still choose
  for (TriedK& t : silent) t.measures.silhouette = 0.5;
  const ChosenK by_silhouette = choose_k(Criterion::silhouette, silent);
  for (const Pick& p : by_silhouette.picks) EXPECT_NE(p.criterion, Criterion::davies_bouldin);
}

TEST(ChooseK, DefaultRange) {
  EXPECT_EQ(default_cluster_range(3), (ClusterRange{2, 2}));
  EXPECT_EQ(default_cluster_range(4), (ClusterRange{2, 3}));
  EXPECT_EQ(default_cluster_range(100), (ClusterRange{2, 20}));
  EXPECT_EQ(default_cluster_range(1000000), (ClusterRange{2, 200}));
  EXPECT_EQ(error_of([] { default_cluster_range(2); }).fault, Fault::data);
}

TEST(ChooseK, NamesOfCriteria) {
  for (const Criterion c : kAll) EXPECT_EQ(named<Criterion>(name_of(c)), c);
  EXPECT_FALSE(named<Criterion>("gap").has_value());
  EXPECT_STREQ(text_of(Criterion::davies_bouldin_cosine).title, "Davies-Bouldin by cosine");
  EXPECT_STREQ(text_of(Criterion::stability).title, "Stability");
}

}  // namespace
}  // namespace shoal
