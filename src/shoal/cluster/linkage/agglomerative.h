#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "shoal/cluster/linkage/dendrogram.h"
#include "shoal/core/fields.h"
#include "shoal/core/labels.h"
#include "shoal/core/matrix.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"
#include "shoal/core/stage.h"
#include "shoal/near/exact.h"

namespace shoal {

/// How far apart two clusters are, from their rows:
///   average   the mean distance over all pairs
///   ward      sqrt(2 a b / (a + b)) times the distance of the means, for a and b rows: how much joining adds
///             to the sum of squares (euclidean only)
///   centroid  the distance of the means (euclidean only); a merge may lie lower than the one before it
///   single    the least distance of a pair
///   complete  the greatest distance of a pair
enum class Linkage : std::uint8_t { average, ward, centroid, single, complete };
constexpr auto names_of(Linkage) { return std::array{"average", "ward", "centroid", "single", "complete"}; }

/// What `Agglomerative::fit` may be told. Exactly one of n_clusters and distance_threshold is given.
struct AgglomerativeOptions {
  std::optional<Index> n_clusters = 2;       ///< 1..distinct rows
  std::optional<double> distance_threshold;  ///< clusters further apart than this are not joined, >= 0
  Linkage linkage = Linkage::average;
  Metric metric = Metric::cosine;
  Index memory_bytes = Index{2} << 30;  ///< most for all distances: complete linkage, average with euclidean
};
template <class V>
void fields(AgglomerativeOptions& o, V&& visit) {
  visit("n_clusters", o.n_clusters, "clusters to find", at_least(1));
  visit("distance_threshold", o.distance_threshold, "join no clusters that are further apart than this",
        at_least(0));
  visit("linkage", o.linkage, "distance of clusters; ward and centroid need the euclidean metric");
  visit("metric", o.metric, "distance of rows");
  visit("memory_bytes", o.memory_bytes,
        "most memory for the distances of all pairs (complete; average with euclidean)");
}
/// Exactly one of n_clusters and distance_threshold; ward and centroid linkage are euclidean.
void check_together(const AgglomerativeOptions& o);

/// Agglomerative clustering: every row alone at first, then the two nearest clusters join, until one is left.
/// Exact: heights are SciPy's, computed in double, to 1e-12 (float32 for complete linkage: 1e-7) of the
/// largest length; equal distances, to 1e-12, go to the lowest rows.
///
/// Memory, in floats of 4 bytes beside the rows: n d for the rows, as much again for the means of clusters.
/// The distances of all pairs are kept for complete linkage (4 bytes a pair) and for average linkage with
/// euclidean distance (8 bytes a pair) alone. Time: O(n^2 d), most of it blocked products; centroid and
/// single linkage pass once over the living clusters for each merge.
///
/// Equal rows (under cosine: rows of equal direction in float32) join first, at height 0. Under cosine rows
/// of zeros are equal to each other and at distance 1 from every other row.
class Agglomerative {
 public:
  using Options = AgglomerativeOptions;
  static constexpr std::string_view kind = "agglomerative";
  static constexpr std::string_view title = "agglomerative clustering";  ///< for people

  /// Error(argument) on an option out of range, or if the linkage is not defined for the metric; Error(data)
  /// if a row holds a NaN or an infinity (named), if there are no rows or no columns, if n_clusters exceeds
  /// the distinct rows (both numbers named), or if the distances of all pairs need more than memory_bytes.
  /// Progress as steps "neighbours" and "agglomerative" (merges done).
  static Agglomerative fit(const Rows& x, const Options& options = {}, const Run& run = {});

  const Labels& labels() const& { return labels_; }  ///< numbered by the smallest row of each cluster
  Labels labels() && { return std::move(labels_); }
  Index n_clusters() const { return labels_.count; }
  /// The whole tree, as SciPy's linkage matrix.
  const Dendrogram& dendrogram() const& { return dendrogram_; }
  Dendrogram dendrogram() && { return std::move(dendrogram_); }
  Labels cut(Index n_clusters) const {
    return dendrogram_.cut(n_clusters);
  }  ///< any other number of clusters

  /// The same tree with another number of clusters, without joining anew. x: the rows of fit. Errors as fit.
  Agglomerative with_clusters(Index n_clusters, const Rows& x, const Run& run = {}) const;

  /// A rule for rows that were not there: the cluster whose mean is nearest (cosine: nearest in direction),
  /// ties by the smaller label; under cosine a row of zeros gets kNoise. It is not how the clusters were
  /// found: `placement_agreement` says how often both agree. Error(data) as fit, if the rows have another
  /// dimension or space, or (Euclidean) if a row lies 1e18 times further away than any mean.
  /// O(rows n_clusters d).
  Labels place(const Rows& x, const Run& run = {}) const;
  /// Share of the training rows that `place` puts where `labels` has them, measured by fit: 0..1.
  double placement_agreement() const { return agreement_; }
  const Matrix& cluster_centers() const& { return centers_; }  ///< n_clusters x d: means; cosine: of length 1
  Matrix cluster_centers() && { return std::move(centers_); }

  const Space& space() const& { return space_; }
  Space space() && { return std::move(space_); }
  const Options& options() const& { return options_; }
  Options options() && { return std::move(options_); }

  void save(ArchiveWriter& out) const;
  /// Error(format) unless `in` holds what `save` writes.
  static Agglomerative load(const ArchiveReader& in);

 private:
  Agglomerative() = default;
  void label(const Rows& x, Index n_clusters, const Run& run);

  Options options_;
  Space space_;
  Dendrogram dendrogram_;
  Labels labels_;
  Matrix centers_;
  double agreement_ = 0;
};
static_assert(Clusterer<Agglomerative> && !Predictor<Agglomerative>);

}  // namespace shoal
