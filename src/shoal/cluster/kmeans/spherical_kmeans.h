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

namespace shoal {

struct LloydResult;  // lloyd_impl.h

/// k-means on the unit sphere (Dhillon, Modha 2001): rows are normalised, centroids are unit means, the
/// objective is the sum of cosines. Exact: bounds on angles skip products that cannot change a label, and
/// every label is the nearest centroid as `predict` finds it, ties by the smaller id.
/// Rows are read block by block; kept in memory: 16 bytes a row and 2 bytes a row and cluster (at most about
/// 1 GiB of the latter: above that, neighbouring clusters share a bound).
/// A row of zeros points nowhere: its label is kNoise, its distance to every centroid 1, and it counts in no
/// sum. A cluster that loses all rows takes over the row furthest from its own centroid; it may end without
/// rows only if `max_iter` is reached or if no row differs from its centroid.
class SphericalKMeans {
 public:
  using Options = SphericalKMeansOptions;
  static constexpr std::string_view kind = "spherical_kmeans";
  static constexpr std::string_view title = "spherical k-means";  ///< for people

  /// From starts drawn as options.init says. `weights`: empty, or one number >= 0 a row: a row counts so many
  /// times; rows of weight 0 get a label and move nothing. Error(argument) on an option or weight out of
  /// range; Error(data) if a row holds a NaN or an infinity (named), or if n_clusters exceeds the distinct
  /// directions of positive weight (both numbers named).
  /// O(n k d) a round at most; after some rounds about a tenth of that.
  static SphericalKMeans fit(const Rows& x, const Options& options = {}, const Run& run = {},
                             std::span<const float> weights = {});
  /// From given centroids (n_clusters x d, any length but zero); seed, init and n_init are not used.
  static SphericalKMeans fit_from(const Rows& x, const Matrix& start, const Options& options,
                                  const Run& run = {}, std::span<const float> weights = {});

  const Labels& labels() const& { return labels_; }
  Labels labels() && { return std::move(labels_); }
  /// Equals labels() on the training rows. Error(data) as fit, or if the rows have another dimension or
  /// space.
  Labels predict(const Rows& x, const Run& run = {}) const;
  /// Cosine distance, 0..2, to each centroid: rows x n_clusters. Errors as predict.
  Matrix transform(const Rows& x, const Run& run = {}) const;
  const Matrix& cluster_centers() const& { return centers_; }  ///< n_clusters x d, unit rows
  Matrix cluster_centers() && { return std::move(centers_); }
  double objective() const { return objective_; }  ///< (weighted) sum of cosines to the own centroid
  double inertia() const {
    return inertia_;
  }                                         ///< sum of squared distances on the sphere: 2 (1 - cosine) each
  Index n_iter() const { return n_iter_; }  ///< times the centroids were moved
  const Space& space() const& { return space_; }
  Space space() && { return std::move(space_); }
  const Options& options() const& { return options_; }
  Options options() && { return std::move(options_); }

  void save(ArchiveWriter& out) const;
  /// Error(format) unless `in` holds what `save` writes; the centers must be of length 1.
  static SphericalKMeans load(const ArchiveReader& in);

 private:
  SphericalKMeans() = default;  // for load
  SphericalKMeans(const Options& options, const Space& space, LloydResult&& result);

  Options options_;
  Space space_;
  Matrix centers_;
  Labels labels_;
  double objective_ = 0, inertia_ = 0;
  Index n_iter_ = 0;
};
static_assert(Clusterer<SphericalKMeans> && Predictor<SphericalKMeans> && Transformer<SphericalKMeans>);

/// A first simple rule for how many clusters a map of so many rows gets: about sqrt(rows / 6), from 2 to 500;
/// 1 for fewer than 4 rows. 63,000 rows: 102.
Index default_clusters(Index rows);

}  // namespace shoal
