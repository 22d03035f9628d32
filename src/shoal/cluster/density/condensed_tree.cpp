#include "shoal/cluster/density/condensed_tree.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

namespace shoal {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// The clusters of a tree by number: 0 is the root.
class ClusterTree {
 public:
  explicit ClusterTree(const CondensedTree& tree)
      : rows_(tree.rows), born_(tree.by_child()), stability_(tree.clusters, 0.0), death_(tree.clusters, 0.0) {
    for (const CondensedEdge& e : tree.edges) {
      const Index c = e.parent - rows_;
      // What leaves at birth adds nothing, also at infinity.
      if (e.lambda > birth(c)) stability_[c] += (e.lambda - birth(c)) * e.size;
      death_[c] = std::max(death_[c], e.lambda);
      if (e.child >= rows_) parts_ = true;
    }
  }

  Index count() const { return stability_.size(); }
  bool parts() const { return parts_; }  ///< is there more than the root?
  Index parent(Index c) const { return born_[rows_ + c].parent - rows_; }
  double birth(Index c) const { return born_[rows_ + c].lambda; }
  Index size(Index c) const { return born_[rows_ + c].size; }
  double death(Index c) const { return death_[c]; }
  std::vector<double>& stability() { return stability_; }

 private:
  Index rows_;
  std::vector<CondensedEdge> born_;
  std::vector<double> stability_, death_;
  bool parts_ = false;
};

/// The set of clusters, none inside another, whose stabilities have the greatest sum. `stability` of what is
/// not chosen becomes the sum of what is chosen inside it.
std::vector<bool> most_stable(ClusterTree& tree, const SelectionOptions& options) {
  const Index n = tree.count(), most = options.max_cluster_size.value_or(std::numeric_limits<Index>::max());
  std::vector<double>& stability = tree.stability();
  std::vector<double> inside(n, 0.0);
  std::vector<bool> chosen(n, false);
  for (Index c = n; c-- > 0;) {  // children before parents
    if (c == 0 && !options.allow_single_cluster) break;
    chosen[c] = !(inside[c] > stability[c]) && tree.size(c) <= most;
    if (!chosen[c]) stability[c] = inside[c];
    if (c > 0) inside[tree.parent(c)] += stability[c];
  }
  std::vector<bool> covered(n, false);  // by a chosen cluster or what holds it
  for (Index c = 0; c < n; ++c) {
    if (c > 0) covered[c] = covered[tree.parent(c)] || chosen[tree.parent(c)];
    if (covered[c]) chosen[c] = false;
  }
  return chosen;
}

std::vector<bool> leaves(const ClusterTree& tree) {
  std::vector<bool> leaf(tree.count(), tree.parts());
  for (Index c = 1; c < tree.count(); ++c) leaf[tree.parent(c)] = false;
  return leaf;
}

/// The first cluster above c, or c itself, that was born at a distance of epsilon or more (Malzer, Baum
/// 2020).
Index climb(const ClusterTree& tree, Index c, const SelectionOptions& options) {
  if (!(1 / tree.birth(c) < options.epsilon)) return c;
  for (;;) {
    const Index up = tree.parent(c);
    if (up == 0) return options.allow_single_cluster ? 0 : c;
    if (1 / tree.birth(up) > options.epsilon) return up;
    c = up;
  }
}

std::vector<bool> choose(ClusterTree& tree, const SelectionOptions& options) {
  std::vector<bool> chosen =
      options.method == ClusterSelection::eom ? most_stable(tree, options) : leaves(tree);
  if (options.epsilon == 0 || chosen[0]) return chosen;
  std::vector<bool> wide(tree.count(), false);
  for (Index c = 1; c < tree.count(); ++c)
    if (chosen[c]) wide[climb(tree, c, options)] = true;
  return wide;
}

}  // namespace

std::vector<CondensedEdge> CondensedTree::by_child() const {
  std::vector<CondensedEdge> at(rows + clusters);
  const auto root = static_cast<std::uint32_t>(rows);
  if (clusters > 0) at[rows] = {root, root, 0, root};
  for (const CondensedEdge& e : edges) at[e.child] = e;
  return at;
}

CondensedTree condense(const Dendrogram& tree, Index min_cluster_size) {
  const Index n = tree.rows;
  CondensedTree out{n, n > 0 ? Index{1} : Index{0}, {}};
  if (n < 2) return out;
  // Of every branch: the cluster that it is part of, or that it left at `lambda`.
  struct Branch {
    std::uint32_t cluster = 0;
    bool left = false;
    double lambda = 0;
  };
  std::vector<Branch> branch(2 * n - 1);
  branch.back().cluster = static_cast<std::uint32_t>(n);
  const auto size = [&](std::uint32_t id) { return id < n ? Index{1} : Index{tree.merges[id - n].size}; };
  for (Index i = n - 1; i-- > 0;) {  // from the root down
    const Merge& m = tree.merges[i];
    const Branch whole = branch[n + i];
    const double lambda = m.height > 0 ? 1 / m.height : kInfinity;
    const bool part = size(m.first) >= min_cluster_size && size(m.second) >= min_cluster_size;
    for (const std::uint32_t child : {m.first, m.second}) {
      branch[child] = whole;
      if (whole.left) continue;
      if (part) {
        branch[child].cluster = static_cast<std::uint32_t>(n + out.clusters++);
        out.edges.push_back(
            {whole.cluster, branch[child].cluster, lambda, static_cast<std::uint32_t>(size(child))});
      } else if (size(child) < min_cluster_size) {
        branch[child] = {whole.cluster, true, lambda};
      }
    }
  }
  for (std::uint32_t row = 0; row < n; ++row)
    out.edges.push_back({branch[row].cluster, row, branch[row].lambda, 1});
  std::ranges::sort(out.edges, {}, [](const CondensedEdge& e) { return std::tuple(e.parent, e.child); });
  return out;
}

Label ChosenClusters::label(const CondensedTree& tree, std::uint32_t id, double lambda) const {
  return lambda < least_lambda ? kNoise : of_cluster[id - tree.rows];
}

double ChosenClusters::probability(Label label, double lambda) const {
  if (label == kNoise) return 0;
  const double most = max_lambda[static_cast<Index>(label)];
  if (most == 0 || std::isinf(lambda)) return 1;
  return std::min(lambda, most) / most;
}

ChosenClusters choose_clusters(const CondensedTree& condensed, const SelectionOptions& options) {
  const Index n = condensed.rows;
  ChosenClusters out{.labels = {std::vector<Label>(n, kNoise), 0},
                     .probabilities = std::vector<double>(n, 0.0),
                     .persistence = {},
                     .max_lambda = {},
                     .of_cluster = std::vector<Label>(condensed.clusters, kNoise)};
  if (condensed.edges.empty()) return out;
  ClusterTree tree(condensed);
  const std::vector<bool> chosen = choose(tree, options);
  if (chosen[0]) out.least_lambda = options.epsilon == 0 ? tree.death(0) : 1 / options.epsilon;
  std::vector<Index> holder(tree.count(), tree.count());  // the chosen cluster that holds it; count: none
  for (Index c = 0; c < tree.count(); ++c)
    holder[c] = chosen[c] ? c : c > 0 ? holder[tree.parent(c)] : tree.count();

  const std::vector<CondensedEdge> leaving = condensed.by_child();
  std::vector<Label> number(tree.count() + 1, kNoise);
  std::vector<Index> sizes, ids;
  for (Index row = 0; row < n; ++row) {
    const Index c = holder[leaving[row].parent - n];
    if (c == tree.count() || leaving[row].lambda < out.least_lambda) continue;
    if (number[c] == kNoise) {
      number[c] = static_cast<Label>(out.labels.count++);
      ids.push_back(c);
      sizes.push_back(0);
    }
    out.labels.of[row] = number[c];
    ++sizes[static_cast<Index>(number[c])];
  }
  double greatest = 0;
  for (const CondensedEdge& e : condensed.edges) greatest = std::max(greatest, e.lambda);
  for (Index k = 0; k < ids.size(); ++k) {
    out.max_lambda.push_back(tree.death(ids[k]));
    out.persistence.push_back(greatest == 0 || std::isinf(greatest)
                                  ? 1
                                  : tree.stability()[ids[k]] / (static_cast<double>(sizes[k]) * greatest));
  }
  for (Index c = 0; c < tree.count(); ++c) out.of_cluster[c] = number[holder[c]];
  for (Index row = 0; row < n; ++row)
    out.probabilities[row] = out.probability(out.labels.of[row], leaving[row].lambda);
  return out;
}

std::vector<double> glosh(const CondensedTree& tree) {
  std::vector<double> scores(tree.rows, 0.0), greatest(tree.clusters, 0.0);
  const auto most = [&](std::uint32_t cluster) -> double& { return greatest[cluster - tree.rows]; };
  for (const CondensedEdge& e : tree.edges) most(e.parent) = std::max(most(e.parent), e.lambda);
  for (Index i = tree.edges.size(); i-- > 0;)  // children before parents
    if (const CondensedEdge& e = tree.edges[i]; e.child >= tree.rows)
      most(e.parent) = std::max(most(e.parent), most(e.child));
  for (const CondensedEdge& e : tree.edges)
    if (e.child < tree.rows && most(e.parent) > 0 && !std::isinf(e.lambda))
      scores[e.child] = std::isinf(most(e.parent)) ? 1 : 1 - e.lambda / most(e.parent);
  return scores;
}

}  // namespace shoal
