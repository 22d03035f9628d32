#include "shoal/cluster/density/hdbscan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "shoal/cluster/density/reachability_tree_impl.h"
#include "shoal/core/error.h"
#include "shoal/store/archive/archive.h"
#include "tests/matrices.h"

namespace shoal {
namespace {

/// Clumps of many sizes and densities; every `copies`-th row is a copy of an earlier one.
Matrix clumps(Index rows, Index cols, Index copies, std::uint64_t seed = 11) {
  const Random random({seed});
  Matrix m(rows, cols);
  for (Index i = 0; i < rows; ++i) {
    const Index group = i * i % 13;
    for (Index j = 0; j < cols; ++j)
      m[i][j] = static_cast<float>(3 * random.normal(group * cols + j + 1000000) +
                                   0.05 * static_cast<double>(1 + group) * random.normal(i * cols + j));
  }
  for (Index i = copies; i < rows; i += copies) std::ranges::copy(m[i / copies], m[i].begin());
  return m;
}

struct Reachability {
  Prepared rows;
  Neighbours near;
  std::vector<float> core;
};

Reachability reachability(const Matrix& x, Index k, Index samples, Metric metric) {
  Reachability r{prepare(x, metric, {}), nearest_neighbours(x, k, metric, {}), std::vector<float>(x.rows())};
  for (Index i = 0; i < x.rows(); ++i) r.core[i] = r.near.distance[i * k + samples - 1];
  return r;
}

/// Kruskal's tree from all pairs.
std::vector<TreeEdge> by_definition(const Reachability& r) {
  const auto n = static_cast<std::uint32_t>(r.core.size());
  std::vector<TreeEdge> all, tree;
  for (std::uint32_t a = 0; a < n; ++a)
    for (std::uint32_t b = a + 1; b < n; ++b)
      all.push_back({std::max({r.core[a], r.core[b], distance(r.rows, a, r.rows, b)}), a, b});
  std::ranges::sort(all);
  std::vector<std::uint32_t> set(n);
  for (std::uint32_t i = 0; i < n; ++i) set[i] = i;
  for (const TreeEdge& e : all) {
    const std::uint32_t from = set[e.second], to = set[e.first];
    if (from == to) continue;
    std::ranges::replace(set, from, to);
    tree.push_back(e);
  }
  return tree;
}

TEST(ReachabilityTree, IsTheMinimumSpanningTree) {
  for (const Metric metric : {Metric::cosine, Metric::euclidean})
    for (const Index k : {Index{1}, Index{4}, Index{16}})
      for (const Index copies : {Index{1000}, Index{3}}) {
        const Matrix x = clumps(900, 4, copies);
        const Reachability r = reachability(x, k, std::min<Index>(k, 3), metric);
        EXPECT_TRUE(reachability_tree(r.rows, r.near, r.core, {.threads = 2}) == by_definition(r))
            << name_of(metric) << " k " << k << " copies " << copies;
      }
}

TEST(ReachabilityTree, DegenerateRows) {
  Matrix equal(600, 3);
  std::fill_n(equal.data(), 1800, 0.25f);
  Matrix far = clumps(600, 3, 1000);  // one row a million times further out than the others are wide
  far[17][1] = 3e7f;
  Matrix shifted = clumps(600, 3, 1000);  // all far from the origin
  for (Index i = 0; i < 1800; ++i) shifted.data()[i] += 1e4f;
  Matrix zeros(600, 3);
  for (Matrix* x : {&equal, &far, &shifted, &zeros})
    for (const Metric metric : {Metric::cosine, Metric::euclidean}) {
      const Reachability r = reachability(*x, 5, 4, metric);
      EXPECT_TRUE(reachability_tree(r.rows, r.near, r.core, {}) == by_definition(r)) << name_of(metric);
    }
  const Matrix two = column({1, 4});
  const Reachability r = reachability(two, 1, 1, Metric::euclidean);
  EXPECT_EQ(reachability_tree(r.rows, r.near, r.core, {}), (std::vector<TreeEdge>{{3, 0, 1}}));
}

TEST(Hdbscan, AnswerMadeByHand) {
  // Two runs of four rows, one apart, and a row far from both. With one sample the core distance is that to
  // the nearest row: 1 within the runs.
  const Matrix x = column({0, 1, 2, 3, 10, 11, 12, 13, 100});
  const Hdbscan groups =
      Hdbscan::fit(x, {.min_cluster_size = 3, .min_samples = 1, .metric = Metric::euclidean});
  EXPECT_EQ(groups.labels().of, (std::vector<Label>{0, 0, 0, 0, 1, 1, 1, 1, kNoise}));
  EXPECT_EQ(groups.labels().count, 2u);
  EXPECT_EQ(groups.probabilities(), (std::vector<double>{1, 1, 1, 1, 1, 1, 1, 1, 0}));
  ASSERT_EQ(groups.single_linkage().merges.size(), 8u);
  EXPECT_EQ(groups.single_linkage().merges[6].height, 7);
  EXPECT_EQ(groups.single_linkage().merges[7], (Merge{8, 15, 87, 9}));
  // Each cluster is born at distance 7 and its four rows leave at 1: stability 4 (1 - 1/7), greatest
  // lambda 1.
  for (const double persistence : groups.cluster_persistence()) EXPECT_NEAR(persistence, 1 - 1.0 / 7, 1e-12);
  EXPECT_NEAR(groups.outlier_scores()[8], 1 - 1.0 / 87, 1e-12);
  EXPECT_EQ(groups.outlier_scores()[0], 0);
  const Placement placed = groups.place(column({1.5f, 12.25f, 60}));
  EXPECT_EQ(placed.labels.of, (std::vector<Label>{0, 1, kNoise}));
  EXPECT_EQ(placed.probabilities, (std::vector<double>{1, 1, 0}));
  EXPECT_EQ(groups.placement_agreement(), 1);
}

TEST(CondensedTree, BranchesBelowTheLeastSizeLeaveAsRows) {
  // ((0 1) 2) and ((3 4) 5) join last; with clusters of 3 both are clusters, with 4 none is.
  const Dendrogram tree{6, {{0, 1, 1, 2}, {3, 4, 1, 2}, {2, 6, 2, 3}, {5, 7, 2, 3}, {8, 9, 4, 6}}};
  tree.check();
  const CondensedTree three = condense(tree, 3);
  EXPECT_EQ(three.clusters, 3u);
  EXPECT_EQ(three.edges, (std::vector<CondensedEdge>{{6, 7, 0.25, 3},
                                                     {6, 8, 0.25, 3},
                                                     {7, 0, 0.5, 1},
                                                     {7, 1, 0.5, 1},
                                                     {7, 2, 0.5, 1},
                                                     {8, 3, 0.5, 1},
                                                     {8, 4, 0.5, 1},
                                                     {8, 5, 0.5, 1}}));
  const CondensedTree four = condense(tree, 4);
  EXPECT_EQ(four.clusters, 1u);
  for (const CondensedEdge& e : four.edges) EXPECT_EQ(e.lambda, 0.25);
}

/// The labels of `ours` and `theirs` mean the same groups, rows of `theirs` marked -2 aside.
void expect_same_groups(const std::vector<Label>& ours, const std::vector<std::int64_t>& theirs,
                        const std::string& name) {
  std::map<Label, std::int64_t> to;
  std::map<std::int64_t, Label> back;
  Index wrong = 0;
  ASSERT_EQ(ours.size(), theirs.size());
  for (Index i = 0; i < ours.size(); ++i) {
    if (theirs[i] == -2) continue;
    const bool same = (ours[i] == kNoise) == (theirs[i] == -1) &&
                      to.try_emplace(ours[i], theirs[i]).first->second == theirs[i] &&
                      back.try_emplace(theirs[i], ours[i]).first->second == ours[i];
    wrong += !same;
  }
  EXPECT_EQ(wrong, 0u) << name;
}

void expect_near(const std::vector<double>& ours, const std::vector<float>& theirs, const std::string& name) {
  ASSERT_EQ(ours.size(), theirs.size()) << name;
  for (Index i = 0; i < ours.size(); ++i)
    if (!std::isnan(theirs[i])) {
      EXPECT_NEAR(ours[i], theirs[i], 2e-5) << name << " " << i;
    }
}

TEST(Hdbscan, EqualsThePythonPackage) {
  const ArchiveReader golden(SHOAL_SOURCE "/tests/golden/hdbscan.safetensors");
  const auto euclidean = Metric::euclidean;
  const auto leaf = ClusterSelection::leaf;
  const std::map<std::string, HdbscanOptions> cases{
      {"eom", {.min_cluster_size = 10, .metric = euclidean}},
      {"leaf", {.min_cluster_size = 10, .metric = euclidean, .cluster_selection_method = leaf}},
      {"samples", {.min_cluster_size = 8, .min_samples = 3, .metric = euclidean}},
      {"epsilon", {.metric = euclidean, .cluster_selection_epsilon = 2}},
      {"leaf_epsilon",
       {.metric = euclidean, .cluster_selection_method = leaf, .cluster_selection_epsilon = 1.5}},
      {"single", {.min_cluster_size = 20, .metric = euclidean, .allow_single_cluster = true}},
      {"not_single", {.min_cluster_size = 20, .metric = euclidean}},
      {"most", {.min_cluster_size = 10, .metric = euclidean, .max_cluster_size = 80}},
      {"cosine", {.min_cluster_size = 10, .metric = Metric::cosine}}};
  for (const auto& [name, options] : cases) {
    const Matrix x = golden.matrix(name.find("single") == std::string::npos ? "rows.blobs" : "rows.one");
    const Hdbscan groups = Hdbscan::fit(x, options);
    expect_same_groups(groups.labels().of, golden.integers(name + ".labels"), name);
    expect_near(groups.probabilities(), golden.floats(name + ".probabilities", x.rows()), name);
    expect_near(groups.outlier_scores(), golden.floats(name + ".outlier_scores", x.rows()), name);
    std::vector<double> persistence = groups.cluster_persistence(), heights;
    std::vector<float> theirs = golden.floats(name + ".persistence", persistence.size());
    std::ranges::sort(persistence);
    std::ranges::sort(theirs);
    expect_near(persistence, theirs, name);
    for (const Merge& m : groups.single_linkage().merges) heights.push_back(m.height);
    expect_near(heights, golden.floats(name + ".heights", x.rows() - 1), name);
  }
}

TEST(Hdbscan, PlacesTrainingRowsWhereTheyAre) {
  const Matrix x = clumps(1500, 5, 1000);
  const Hdbscan groups = Hdbscan::fit(x, {.min_cluster_size = 20, .metric = Metric::euclidean});
  EXPECT_GT(groups.labels().count, 5u);
  EXPECT_GT(groups.placement_agreement(), 0.95);
  const Placement placed = groups.place(x);
  EXPECT_EQ(placed.labels.of, groups.labels().of);
  EXPECT_EQ(placed.probabilities, groups.probabilities());
  EXPECT_EQ(groups.place(Matrix(0, 5)).labels.of.size(), 0u);
  EXPECT_THROW(groups.place(Matrix(3, 4)), Error);
  // Each row on its own.
  const Placement some = groups.place(Rows(x.view().slice(700, 9)));
  EXPECT_TRUE(std::ranges::equal(some.labels.of, std::span(placed.labels.of).subspan(700, 9)));
}

TEST(Hdbscan, RefusesWhatItCannotUse) {
  const Matrix x = clumps(40, 3, 1000);
  EXPECT_THROW(Hdbscan::fit(x, {.min_cluster_size = 1}), Error);
  EXPECT_THROW(Hdbscan::fit(x, {.min_samples = 0}), Error);
  EXPECT_THROW(Hdbscan::fit(x, {.cluster_selection_epsilon = -1}), Error);
  EXPECT_THROW(Hdbscan::fit(x, {.cluster_selection_epsilon = std::nan("")}), Error);
  EXPECT_THROW(Hdbscan::fit(x, {.max_cluster_size = 0}), Error);
}

TEST(Hdbscan, FewAndEqualRows) {
  EXPECT_EQ(Hdbscan::fit(column({1})).labels().of, (std::vector<Label>{kNoise}));
  EXPECT_EQ(Hdbscan::fit(column({1, 2})).labels().of, (std::vector<Label>{kNoise, kNoise}));
  EXPECT_EQ(Hdbscan::fit(column({1})).place(column({1, 2})).labels.of, (std::vector<Label>{kNoise, kNoise}));
  Matrix equal(50, 2);
  std::fill_n(equal.data(), 100, 3.0f);
  EXPECT_EQ(Hdbscan::fit(equal).labels().of, std::vector<Label>(50, kNoise));
  const Hdbscan one = Hdbscan::fit(equal, {.allow_single_cluster = true});
  EXPECT_EQ(one.labels().of, std::vector<Label>(50, 0));
  EXPECT_EQ(one.probabilities(), std::vector<double>(50, 1));
  EXPECT_EQ(one.outlier_scores(), std::vector<double>(50, 0));
}

}  // namespace
}  // namespace shoal
