#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "shoal/core/fields.h"
#include "shoal/core/matrix.h"
#include "shoal/core/metric.h"

namespace shoal {

/// How the first centroids are drawn, both in proportion to D^2, the squared distance to the nearest one
/// drawn so far (times the row's weight).
enum class KMeansInit : std::uint8_t {
  kmeans_plus_plus,  ///< one after another, each the best of 2 + floor(log n_clusters) candidates (greedy
                     ///< k-means++: Arthur, Vassilvitskii 2007)
  kmeans_parallel,  ///< k-means|| (Bahmani et al. 2012): 5 passes draw about 2 k rows each, of which weighted
                    ///< k-means++ keeps k; fewer passes over the rows where k is large
};
constexpr auto names_of(KMeansInit) { return std::array{"kmeans_plus_plus", "kmeans_parallel"}; }

/// What `KMeans::fit` and `SphericalKMeans::fit` may be told: the same, but not one type.
template <Metric by>
struct LloydKMeansOptions {
  static constexpr Metric metric = by;  ///< by which rows are compared

  Index n_clusters = 8;  ///< 1..distinct rows
  Index max_iter = 300;  ///< most Lloyd rounds, >= 1
  double tol =
      1e-6;  ///< stop when the objective improves by less than this share, >= 0. 0: until no label changes
  std::optional<Index> n_init;  ///< starts tried, the best kept, >= 1; absent: default_n_init
  KMeansInit init = KMeansInit::kmeans_plus_plus;
  Seed seed{42};
};
using KMeansOptions = LloydKMeansOptions<Metric::euclidean>;
using SphericalKMeansOptions = LloydKMeansOptions<Metric::cosine>;
template <Metric by, class V>
void fields(LloydKMeansOptions<by>& o, V&& visit) {
  visit("n_clusters", o.n_clusters, "clusters to find", at_least(1));
  visit("max_iter", o.max_iter, "most rounds", at_least(1));
  visit("tol", o.tol, "stop when the objective improves by less than this share; 0: until no label changes",
        at_least(0));
  visit("n_init", o.n_init, "starts tried, the best kept; none: 10 on few rows, fewer on many", at_least(1));
  visit("init", o.init, "how the first centroids are drawn");
  visit("seed", o.seed, "start of all randomness");
}

/// How many starts are tried if nobody says: as many as keep rows x clusters x columns x starts within
/// kStartsBudget, from 1 to 10. `clusters`: those of all fits that share the budget, added.
Index default_n_init(Index rows, Index clusters, Index cols);
inline constexpr double kStartsBudget = 6e9;

}  // namespace shoal
