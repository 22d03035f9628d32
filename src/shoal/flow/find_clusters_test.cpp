#include "shoal/flow/find_clusters.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "shoal/core/error.h"
#include "shoal/flow/fingerprint.h"
#include "tests/scratch_folder.h"

namespace shoal {
namespace {

/// Three directions of 20 rows each, a little apart within.
Matrix three_groups() {
  Matrix x(60, 3);
  for (Index i = 0; i < 60; ++i) {
    x[i][i / 20] = 1;
    x[i][(i / 20 + 1) % 3] = 0.01f * static_cast<float>(i % 20);
  }
  return x;
}

TEST(Clustering, ChoosesANumberAndJudgesIt) {
  const Matrix x = three_groups();
  for (const char* name : {"spherical_kmeans", "agglomerative"}) {
    ClusteringOptions options{.method = *method_named(name), .choose = true, .resamples = 4};
    const Clustering found = find_clusters(x, options, {1}, {});
    EXPECT_EQ(found.findings.chosen->n_clusters, 3u) << name;
    EXPECT_EQ(found.findings.n_clusters, 3u);
    EXPECT_EQ(found.findings.tried.back().n_clusters, 15u) << "2 sqrt(60)";
    const Index tried = std::string(name) == "agglomerative" ? 14 : 12;  // each, or spaced out
    EXPECT_EQ(found.findings.tried.size(), tried);
    EXPECT_GT(*found.findings.measures->silhouette, 0.9);
    EXPECT_EQ(found.findings.stability->mean, 1) << name;
    EXPECT_EQ(found.findings.noise, 0u);
    for (Index i = 0; i < 60; ++i)
      EXPECT_EQ(found.clusters.labels.of[i], found.clusters.labels.of[i / 20 * 20]);
    EXPECT_EQ(found.findings.method.kind(), name);
  }
  const Clustering by_default = find_clusters(x, {}, {1}, {});
  EXPECT_EQ(by_default.findings.n_clusters, default_clusters(60));
  EXPECT_FALSE(by_default.findings.chosen || by_default.findings.stability);
}

TEST(Clustering, AllFitsShareTheBudgetOfStarts) {
  EXPECT_EQ(clusters_fitted({.n_clusters = 10}, 900), 10u);
  EXPECT_EQ(clusters_fitted({}, 900), default_clusters(900));
  EXPECT_EQ(clusters_fitted({.n_clusters = 10, .resamples = 20}, 900), 210u);
  EXPECT_EQ(clusters_fitted({.choose = true, .range = ClusterRange{2, 5}}, 900), 14u);
  EXPECT_EQ(clusters_fitted({.choose = true, .range = ClusterRange{2, 5}, .resamples = 4}, 900), 34u);
  EXPECT_EQ(
      clusters_fitted(
          {.choose = true, .criterion = Criterion::stability, .range = ClusterRange{2, 5}, .resamples = 4},
          900),
      70u);
  const Matrix x = three_groups();
  ClusteringOptions options{.n_clusters = 3};
  const auto starts = [&] {
    const Clustering found = find_clusters(x, options, {1}, {});
    const auto used = std::get<SphericalKMeans>(found.fitted).options().n_init;
    EXPECT_EQ(std::get<SphericalKMeansOptions>(found.findings.method.of).n_init, used);
    EXPECT_NE(found.findings.why.find("best of " + std::to_string(*used) + " starts"), std::string::npos);
    return used;
  };
  EXPECT_EQ(starts(), 10u);
  options.method.set("n_init", "2");
  EXPECT_EQ(starts(), 2u);
}

TEST(Clustering, StabilityThatWasMeasuredAfterTheChoiceSpeaksToo) {
  Matrix x(80, 6);  // one cloud without clusters
  const Random random({5});
  for (Index i = 0; i < 80; ++i)
    for (Index j = 0; j < 6; ++j) x[i][j] = static_cast<float>(random.normal(6 * i + j));
  const auto codes = [&](ClusteringOptions options) {
    options.method.set("n_init", "1");
    std::vector<std::string> out;
    for (const Objection& o : find_clusters(x, options, {1}, {}).findings.against) out.push_back(o.code);
    return out;
  };
  const ClusterRange range{5, 9};
  for (const ClusteringOptions& options :
       std::vector<ClusteringOptions>{{.choose = true, .range = range, .resamples = 4},
                                      {.n_clusters = 7, .resamples = 4},
                                      {.choose = true, .criterion = Criterion::stability, .range = range}})
    EXPECT_EQ(std::ranges::count(codes(options), "unstable_clusters"), 1);
  EXPECT_EQ(std::ranges::count(codes({.choose = true, .range = range}), "unstable_clusters"), 0);
}

TEST(Clustering, LeavesOutClustersWithoutRows) {
  const Matrix x = three_groups();
  const Clustering found = find_clusters(x, {.method = *method_named("som")}, {1}, {});
  const auto& [labels, original] = found.clusters;
  EXPECT_LT(labels.count, 100u) << "of the 10 x 10 units";
  EXPECT_EQ(found.findings.n_clusters, labels.count);
  EXPECT_EQ(std::set<Label>(labels.of.begin(), labels.of.end()).size(), labels.count);
  for (Index i = 0; i < 60; ++i)
    EXPECT_EQ(original[static_cast<Index>(labels.of[i])], labels_of(found.fitted).of[i]);
}

TEST(Clustering, ListsAllThatTheResultDependsOn) {
  const auto key = [](const ClusteringOptions& o, Seed seed = {1}, Index rows = 100) {
    return step_key("", "cluster", list_clustering(o, rows, seed));
  };
  const ClusteringOptions plain;
  ClusteringOptions linkage{.method = *method_named("agglomerative")};
  linkage.method.set("linkage", "single");
  std::set<std::string> keys{key(plain), key(plain, {2}), key(linkage)};
  for (const ClusteringOptions& o :
       std::vector<ClusteringOptions>{{.method = *method_named("kmeans")},
                                      {.method = *method_named("agglomerative")},
                                      {.n_clusters = 7},
                                      {.choose = true},
                                      {.choose = true, .criterion = Criterion::elbow},
                                      {.choose = true, .range = ClusterRange{2, 9}},
                                      {.choose = true, .range = ClusterRange{3, 9}},
                                      {.resamples = 9}})
    keys.insert(key(o));
  EXPECT_EQ(keys.size(), 11u);
  EXPECT_EQ(key({.criterion = Criterion::elbow}), key(plain)) << "nothing is chosen";
  EXPECT_NE(key({.n_clusters = default_clusters(100)}), key(plain))
      << "fewer distinct rows: an error, or fewer";
}

TEST(Clustering, WhatIsWrongNamesTheOption) {
  const Matrix x = three_groups();
  const auto said = [&](const ClusteringOptions& o) -> std::string {
    try {
      find_clusters(x, o, {1}, {});
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  };
  ClusteringOptions eps{.method = *method_named("dbscan")};
  EXPECT_THROW(eps.method.set("eps", "-1"), Error);
  std::get<DbscanOptions>(eps.method.of).eps = -1;
  EXPECT_EQ(said(eps).rfind("eps is -1; allowed: 0 or more", 0), 0u) << said(eps);
  EXPECT_EQ(said({.n_clusters = 61}), "n_clusters is 61, but there are only 60 rows");
  EXPECT_EQ(said({.n_clusters = 0}).rfind("n_clusters is 0", 0), 0u) << said({.n_clusters = 0});
  ClusteringOptions som{.method = *method_named("som")};
  som.method.set("grid_rows", "300");
  som.method.set("grid_cols", "300");
  EXPECT_EQ(said(som).rfind("grid_rows x grid_cols is 300 x 300; allowed: 1 to 65,536 units", 0), 0u)
      << said(som);
  Matrix same(10, 2);
  for (Index i = 0; i < 10; ++i) same[i][0] = 1;
  try {
    find_clusters(same, {.n_clusters = 3}, {1}, {});
    ADD_FAILURE();
  } catch (const Error& e) {
    EXPECT_EQ(std::string(e.what()).rfind("n_clusters is 3, but only 1 distinct", 0), 0u) << e.what();
  }
}

TEST(Clustering, TheOptionsOfASavedMethod) {
  const ScratchFolder folder;
  const Matrix x = three_groups();
  for (MethodOptions method : all_methods()) {
    for (const OptionRef& option : method.options())
      if (option.name == "metric") option.set_text("euclidean");
    save_clusterer(fit_clusterer(x, method, {}), folder / "c.safetensors");
    const MethodOptions saved = saved_method(folder / "c.safetensors");
    EXPECT_EQ(saved.metric(), method.metric()) << method.kind();
    EXPECT_EQ(saved.kind(), method.kind());
    EXPECT_NE(saved.title(), "") << method.kind();
  }
  EXPECT_EQ(method_named("hdbscan")->title(), "HDBSCAN");
  MethodOptions chosen;
  chosen.of = KMeansOptions{.n_clusters = 4};
  EXPECT_EQ(chosen.kind(), "kmeans");
  chosen.of = SphericalKMeansOptions{.n_clusters = 4};
  EXPECT_EQ(chosen.kind(), "spherical_kmeans");
}

}  // namespace
}  // namespace shoal
