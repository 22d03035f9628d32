#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "shoal/cluster/dendrogram.h"
#include "shoal/core/labels.h"

namespace shoal {

/// Which clusters of a condensed tree are chosen. eom: excess of mass, those that together are most stable;
/// leaf: those that do not part any more.
enum class ClusterSelection : std::uint8_t { eom, leaf };
const char* name_of(ClusterSelection s);
std::optional<ClusterSelection> selection_named(std::string_view name);

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
  std::vector<CondensedEdge> edges;  ///< by parent, ascending

  bool operator==(const CondensedTree&) const = default;
};
CondensedTree condense(const Dendrogram& tree, Index min_cluster_size);

struct SelectionOptions {
  ClusterSelection method = ClusterSelection::eom;
  double epsilon = 0;
  bool allow_single_cluster = false;
  std::optional<Index> max_cluster_size;
};

/// The clusters chosen from a condensed tree, numbered by their first row.
struct ChosenClusters {
  Labels labels;
  std::vector<double> probabilities;  ///< a row
  std::vector<double> persistence;    ///< a cluster
  std::vector<std::uint32_t> ids;     ///< a cluster: its id in the condensed tree
  std::vector<double> max_lambda;  ///< a cluster: greatest lambda at which a row leaves it or what it holds
};
ChosenClusters choose_clusters(const CondensedTree& tree, const SelectionOptions& options);

/// GLOSH, a row: 1 - lambda(row) / greatest lambda among the rows of the cluster that it left.
std::vector<double> glosh(const CondensedTree& tree);

}  // namespace shoal
