#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "shoal/cluster/density/condensed_tree.h"
#include "shoal/cluster/linkage/dendrogram.h"
#include "shoal/core/fields.h"
#include "shoal/core/labels.h"
#include "shoal/core/matrix.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"
#include "shoal/core/stage.h"
#include "shoal/near/exact.h"

namespace shoal {

/// What `Hdbscan::fit` may be told. The names and their meaning are those of the Python package hdbscan.
struct HdbscanOptions {
  Index min_cluster_size = 5;        ///< >= 2: fewer rows that part from a cluster are noise, not a cluster
  std::optional<Index> min_samples;  ///< >= 1; absent: min_cluster_size. Other rows that make a row dense
  Metric metric = Metric::cosine;
  ClusterSelection cluster_selection_method = ClusterSelection::eom;
  double cluster_selection_epsilon = 0;   ///< >= 0: clusters that part below this distance stay together
  bool allow_single_cluster = false;      ///< may all rows be one cluster?
  std::optional<Index> max_cluster_size;  ///< >= 1: larger ones are not chosen by eom
};
template <class V>
void fields(HdbscanOptions& o, V&& visit) {
  visit("min_cluster_size", o.min_cluster_size, "fewer rows are noise", at_least(2));
  visit("min_samples", o.min_samples, "other rows that make a row dense", at_least(1));
  visit("metric", o.metric, "distance of rows");
  visit("cluster_selection_method", o.cluster_selection_method, "which clusters of the tree are chosen");
  visit("cluster_selection_epsilon", o.cluster_selection_epsilon,
        "clusters that part below this distance stay together", at_least(0));
  visit("allow_single_cluster", o.allow_single_cluster, "may all rows be one cluster?");
  visit("max_cluster_size", o.max_cluster_size, "larger clusters are not chosen by eom", at_least(1));
}

/// Where `Hdbscan::place` puts new rows.
struct Placement {
  Labels labels;                      ///< count as in Hdbscan::labels()
  std::vector<double> probabilities;  ///< 0..1, as Hdbscan::probabilities()
};

/// Clusters of varying density (Campello, Moulavi, Sander 2013; McInnes, Healy 2017), exactly: the minimum
/// spanning tree of the mutual reachability max(core(a), core(b), distance(a, b)), core(a) being the distance
/// from a to its min_samples-th nearest other row; the tree of joinings; those of its branches that hold
/// min_cluster_size rows; of these the most stable (eom) or the last (leaf).
///
///   const Hdbscan groups = Hdbscan::fit(rows, {.min_cluster_size = 15, .metric = Metric::euclidean});
///   groups.labels();          // kNoise: in no cluster
///   groups.outlier_scores();  // GLOSH: 0 typical .. 1 outlying
///
/// Equal to the Python package hdbscan but for ties: edges of one weight are taken by the smaller, then the
/// larger row, where hdbscan takes them as its trees happen to lie, and distances are float32.
/// Clusters are numbered by their first row.
/// A row of zeros is, under cosine, at distance 1 from every other row. min_samples above rows - 1 means
/// rows - 1, as in hdbscan. Fewer than 2 min_cluster_size rows cannot part: all are noise, unless
/// allow_single_cluster. Where min_samples + 1 rows are equal their density is infinite: then, as in hdbscan,
/// the other rows of their cluster have probability 0, and every cluster has persistence 1.
/// O(n^2 d) at worst in blocked products: one symmetric pass for neighbours, then rounds in which only rows
/// whose neighbour lists do not decide their component's shortest edge meet the other components.
/// Memory: 16 max(16, 2 min_samples) + 150 bytes a row or so, a float32 copy of the rows, which is kept for
/// `place`, and in fit another, unless the rows are of length 1 and compared by cosine.
class Hdbscan {
 public:
  using Options = HdbscanOptions;
  static constexpr std::string_view kind = "hdbscan";
  static constexpr std::string_view title = "HDBSCAN";  ///< for people

  /// Progress as steps "neighbours" and "spanning tree". Error(argument) on an option out of range;
  /// Error(data) if a row holds a NaN or an infinity (named) or has no columns.
  static Hdbscan fit(const Rows& x, const Options& options = {}, const Run& run = {});

  const Labels& labels() const& { return clusters_.labels; }
  Labels labels() && { return std::move(clusters_.labels); }
  /// How firmly each row belongs to its cluster, 0..1; 0 for noise.
  const std::vector<double>& probabilities() const& { return clusters_.probabilities; }
  std::vector<double> probabilities() && { return std::move(clusters_).probabilities; }
  /// How long each cluster lasted, 0..1.
  const std::vector<double>& cluster_persistence() const& { return clusters_.persistence; }
  std::vector<double> cluster_persistence() && { return std::move(clusters_).persistence; }
  /// GLOSH (Campello, Moulavi, Zimek, Sander 2015): how outlying each row is, 0..1.
  const std::vector<double>& outlier_scores() const& { return outlier_scores_; }
  std::vector<double> outlier_scores() && { return std::move(outlier_scores_); }
  /// Joinings under mutual reachability: SciPy's linkage matrix.
  const Dendrogram& single_linkage() const& { return single_linkage_; }
  Dendrogram single_linkage() && { return std::move(single_linkage_); }
  const CondensedTree& condensed_tree() const& { return condensed_; }
  CondensedTree condensed_tree() && { return std::move(condensed_); }

  /// Places new rows into the old clusters. Not what another fit would find, hence not called predict: a new
  /// row x goes where, among its 2 min_samples nearest training rows, the one of least mutual reachability
  /// went, if x is as dense as that cluster was when it came into being, otherwise to the nearest ancestor
  /// that was so sparse; kNoise if no chosen cluster holds it. As hdbscan.approximate_predict, save that a
  /// row equal to a training row (of several, the first) has its label: it would count itself as a neighbour.
  /// Each row is placed on its own. Error(data) as fit, or if the rows have another dimension or space.
  Placement place(const Rows& x, const Run& run = {}) const;
  /// The share of training rows that go into the cluster (or the noise) that `labels` says if each is placed
  /// by its neighbours without itself: what to expect of new rows. Measured in fit. 1 for no rows.
  double placement_agreement() const { return placement_agreement_; }

  const Space& space() const& { return space_; }
  Space space() && { return std::move(space_); }
  const Options& options() const& { return options_; }
  Options options() && { return std::move(options_); }

  void save(ArchiveWriter& out) const;
  static Hdbscan load(const ArchiveReader& in);  ///< Error(format)

 private:
  Hdbscan() = default;
  void choose();  // what follows from options_ and single_linkage_

  Options options_;
  Space space_;
  Matrix rows_;
  std::vector<float> core_distances_;
  Dendrogram single_linkage_;
  double placement_agreement_ = 1;
  // Derived:
  CondensedTree condensed_;
  ChosenClusters clusters_;
  std::vector<double> outlier_scores_;
};
static_assert(Clusterer<Hdbscan>);

}  // namespace shoal
