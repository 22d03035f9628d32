#include <algorithm>

#include "shoal/reduce/pca.h"
#include "shoal/reduce/plane_impl.h"

namespace shoal {

Matrix principal_plane(const Rows& x, const Run& run) {
  const Index kept = std::min<Index>({2, x.rows(), x.cols()});
  Matrix components = Pca::fit(x, {.n_components = kept}, run).transform(x, run);
  if (kept == 2) return components;
  Matrix plane(x.rows(), 2);
  for (Index i = 0; i < x.rows(); ++i) plane[i][0] = components[i][0];
  return plane;
}

}  // namespace shoal
