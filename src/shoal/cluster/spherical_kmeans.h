#pragma once

#include <string_view>
#include <vector>

#include "shoal/core/fields.h"
#include "shoal/core/labels.h"
#include "shoal/core/matrix.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"
#include "shoal/core/stage.h"

namespace shoal {

/// What `SphericalKMeans::fit` may be told.
struct SphericalKMeansOptions {
  Index n_clusters = 8;  ///< 1..distinct rows
  Index max_iter = 100;  ///< most Lloyd rounds, >= 1
  double tol =
      1e-4;  ///< stop when the objective grows by less than this share, >= 0. 0: until no label changes
  Index n_init = 1;  ///< starts tried, the best kept, >= 1
  Seed seed{42};
};
template <class V>
void fields(SphericalKMeansOptions& o, V&& visit) {
  visit("n_clusters", o.n_clusters, "groups to find");
  visit("max_iter", o.max_iter, "most rounds");
  visit("tol", o.tol, "stop when the objective grows by less than this share; 0: until no label changes");
  visit("n_init", o.n_init, "starts tried, the best kept");
  visit("seed", o.seed, "start of all randomness");
}

/// k-means on the unit sphere (Dhillon, Modha 2001): rows are normalised, centroids are unit means, the
/// objective is the sum of cosines. Exact; bounds skip products that cannot change a label.
class SphericalKMeans {
 public:
  using Options = SphericalKMeansOptions;
  static constexpr std::string_view kind = "spherical_kmeans";
  static SphericalKMeans fit(const Rows& x, const Options& options = {}, const Run& run = {});
  /// From given centroids (n_clusters x d), as the benchmarks and `update` want.
  static SphericalKMeans fit_from(const Rows& x, const Matrix& start, const Options& options,
                                  const Run& run = {});

  const Labels& labels() const { return labels_; }
  Labels predict(const Rows& x, const Run& run = {}) const;  ///< equals labels() on the training rows
  Matrix transform(const Rows& x,
                   const Run& run = {}) const;  ///< cosine distance to each centroid, rows x n_clusters
  const Matrix& cluster_centers() const { return centers_; }  ///< n_clusters x d, unit rows
  double objective() const { return objective_; }             ///< sum of cosines to the own centroid
  double inertia() const;  ///< sum of squared distances on the sphere: 2 (n - objective)
  Index n_iter() const { return n_iter_; }
  const Space& space() const { return space_; }

  void save(Writer& out) const;
  static SphericalKMeans load(const Reader& in);

 private:
  Options options_;
  Space space_;
  Matrix centers_;
  Labels labels_;
  double objective_ = 0;
  Index n_iter_ = 0;
};

}  // namespace shoal
