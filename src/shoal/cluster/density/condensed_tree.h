#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "shoal/cluster/linkage/dendrogram.h"
#include "shoal/core/labels.h"
#include "shoal/core/names.h"

namespace shoal {

/// Which clusters of a condensed tree are chosen. eom: excess of mass, those that together are most stable;
/// leaf: those that do not part any more.
enum class ClusterSelection : std::uint8_t { eom, leaf };
constexpr auto names_of(ClusterSelection) { return std::array{"eom", "leaf"}; }

/// A row or a cluster that leaves a cluster, at density lambda = 1 / distance (infinity for distance 0).
struct CondensedEdge {
  std::uint32_t parent = 0;  ///< a cluster
  std::uint32_t child = 0;   ///< below rows: a row; otherwise a cluster
  double lambda = 0;
  std::uint32_t size = 0;  ///< rows in the child

  bool operator==(const CondensedEdge&) const = default;
};

/// A tree of joinings in which a branch counts as a cluster only from min_cluster_size rows on (Campello et
/// al. 2013). Ids as in the Python package hdbscan: 0..rows-1 are rows, `rows` is the cluster of all rows,
/// the others follow, parents before children. Each row is a child once, at the place where it leaves.
struct CondensedTree {
  Index rows = 0;
  Index clusters = 0;                ///< 1 for the root, more for what parts from it; 0 for no rows
  std::vector<CondensedEdge> edges;  ///< by parent, then child; none for a single row

  bool operator==(const CondensedTree&) const = default;

  /// Entry i: the edge whose child is i, a row or a cluster. The root, which leaves nothing, is its own
  /// parent from lambda 0 on. O(rows).
  std::vector<CondensedEdge> by_child() const;
};
/// O(n log n). min_cluster_size >= 2.
CondensedTree condense(const Dendrogram& tree, Index min_cluster_size);

/// As in HdbscanOptions.
struct SelectionOptions {
  ClusterSelection method = ClusterSelection::eom;
  double epsilon = 0;
  bool allow_single_cluster = false;
  std::optional<Index> max_cluster_size;
};

/// The clusters chosen from a condensed tree, numbered by their first row.
struct ChosenClusters {
  Labels labels;
  std::vector<double> probabilities;  ///< a row: lambda at which it leaves / max_lambda of its cluster
  std::vector<double> persistence;    ///< a cluster: stability / (its rows times the greatest lambda of all)
  std::vector<double> max_lambda;     ///< a cluster: greatest lambda at which a row or a branch leaves it
  std::vector<Label> of_cluster;      ///< of each of the tree's clusters: the chosen one that holds it
  double least_lambda = 0;  ///< rows that leave earlier are noise: above 0 only if the root is chosen

  /// The label of what leaves cluster `id` of the tree (rows + c) at `lambda`.
  Label label(const CondensedTree& tree, std::uint32_t id, double lambda) const;
  /// 0..1: how late it leaves; 0 for noise.
  double probability(Label label, double lambda) const;
};
ChosenClusters choose_clusters(const CondensedTree& tree, const SelectionOptions& options);

/// GLOSH, a row: 1 - lambda(row) / greatest lambda at which any row leaves the cluster that it left or what
/// parts from it; 0 for a row that leaves at infinity.
std::vector<double> glosh(const CondensedTree& tree);

}  // namespace shoal
