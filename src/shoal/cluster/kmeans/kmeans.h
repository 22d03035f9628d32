#pragma once

#include <span>
#include <string_view>
#include <utility>

#include "shoal/cluster/kmeans/kmeans_options.h"
#include "shoal/core/labels.h"
#include "shoal/core/matrix.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"
#include "shoal/core/stage.h"
#include "shoal/near/shift_scale.h"

namespace shoal {

struct LloydResult;  // lloyd_impl.h

/// k-means with Euclidean distances (Lloyd 1982). The objective is the inertia, the (weighted) sum of squared
/// distances of all rows to their own centroid.
///
///   KMeans groups = KMeans::fit(rows, {.n_clusters = 20});
///   groups.labels();          // the nearest centroid of each row
///   groups.predict(others);
///
/// Exact: bounds on distances (Elkan 2003) skip products that cannot change a label, and every label is the
/// centroid at the smallest computed distance, ties by the smaller id: products only pick the candidates.
/// Sums do not round, so that the same bits come out for any number of threads.
/// Rows are read block by block; kept in memory: 16 bytes a row and 2 bytes a row and cluster (at most about
/// 1 GiB of the latter: above that, neighbouring clusters share a bound).
/// A cluster that loses all rows takes over the row furthest from its own centroid; it may end without rows
/// only if `max_iter` is reached or if no row can be told from its centroid.
class KMeans {
 public:
  using Options = KMeansOptions;
  static constexpr std::string_view kind = "kmeans";
  static constexpr std::string_view title = "k-means";  ///< for people

  /// From starts drawn as options.init says. `weights`: empty, or one number >= 0 a row: a row counts so many
  /// times; rows of weight 0 get a label and move nothing. Error(argument) on an option or weight out of
  /// range; Error(data) if a row holds a NaN or an infinity (named), or if n_clusters exceeds the distinct
  /// rows of positive weight (both numbers named). O(n k d) a round at most.
  static KMeans fit(const Rows& x, const Options& options = {}, const Run& run = {},
                    std::span<const float> weights = {});
  /// From given centroids (n_clusters x d); seed, init and n_init are not used.
  static KMeans fit_from(const Rows& x, const Matrix& start, const Options& options, const Run& run = {},
                         std::span<const float> weights = {});

  const Labels& labels() const& { return labels_; }
  Labels labels() && { return std::move(labels_); }
  /// Equals labels() on the training rows. Error(data) as fit, if the rows have another dimension or space,
  /// or if they lie so far away that squared distances overflow.
  Labels predict(const Rows& x, const Run& run = {}) const;
  /// Distance to each centroid, in the rows' units: rows x n_clusters. Errors as predict.
  Matrix transform(const Rows& x, const Run& run = {}) const;
  const Matrix& cluster_centers() const& { return centers_; }  ///< n_clusters x d
  Matrix cluster_centers() && { return std::move(centers_); }
  double inertia() const { return inertia_; }  ///< sum of weight times squared distance
  Index n_iter() const { return n_iter_; }     ///< times the centroids were moved
  const Space& space() const& { return space_; }
  Space space() && { return std::move(space_); }
  const Options& options() const& { return options_; }
  Options options() && { return std::move(options_); }

  void save(ArchiveWriter& out) const;
  /// Error(format) unless `in` holds what `save` writes.
  static KMeans load(const ArchiveReader& in);

 private:
  KMeans() = default;  // for load
  KMeans(const Options& options, const Space& space, const ShiftScale& frame, LloydResult&& result);

  Options options_;
  Space space_;
  ShiftScale frame_;
  Matrix moved_centers_;  // in the frame: these decide
  Matrix centers_;        // in the rows' units
  Labels labels_;
  double inertia_ = 0;
  Index n_iter_ = 0;
};
static_assert(Clusterer<KMeans> && Predictor<KMeans> && Transformer<KMeans>);

}  // namespace shoal
