#include <algorithm>
#include <cmath>

#include "shoal/adapt/centers_impl.h"
#include "shoal/cluster/kmeans/spherical_kmeans.h"
#include "shoal/core/error.h"

namespace shoal {
namespace {

/// Rows of zeros left out; rows that differ by rounding alone count as several, which k-means refuses: then
/// fewer are asked for.
Index distinct_rows(MatrixView x) {
  std::vector<Index> order;
  for (Index i = 0; i < x.rows; ++i)
    if (std::ranges::any_of(x[i], [](float v) { return v != 0; })) order.push_back(i);
  std::ranges::sort(order,
                    [&](Index a, Index b) { return std::ranges::lexicographical_compare(x[a], x[b]); });
  const auto same = [&](Index a, Index b) { return std::ranges::equal(x[a], x[b]); };
  return static_cast<Index>(std::ranges::unique(order, same).begin() - order.begin());
}

}  // namespace

UnitCenters unit_centers(MatrixView x, Index n_centers, Seed seed, const Run& run) {
  const Index distinct = distinct_rows(x);
  require(distinct > 0, Fault::data, "all vectors are zero: they point nowhere");
  for (Index k = std::min(n_centers, distinct);; k = std::max<Index>(1, k / 2)) {
    try {
      auto fit = SphericalKMeans::fit(Rows(x), {.n_clusters = k, .max_iter = 25, .n_init = 1, .seed = seed},
                                      run.quiet());
      return {fit.cluster_centers(), fit.labels().of};
    } catch (const Error& e) {
      if (e.fault != Fault::data || k == 1) throw;
    }
  }
}

Matrix unit_matrix(const Rows& x) {
  Matrix out = x.to_matrix();
  unit_rows(out.span());
  return out;
}

}  // namespace shoal
