#pragma once

#include <vector>

#include "shoal/core/labels.h"
#include "shoal/core/matrix.h"
#include "shoal/core/random.h"
#include "shoal/core/run.h"
#include "shoal/linear/norms.h"

namespace shoal {

/// Unit centroids by spherical k-means, at most as many as there are distinct rows, and each row's own
/// (kNoise for a row of zeros).
struct UnitCenters {
  Matrix centers;
  std::vector<Label> label;
};
/// x: rows of length 1 or 0, at least one. Error(data) if all are 0.
UnitCenters unit_centers(MatrixView x, Index n_centers, Seed seed, const Run& run);

/// Rows of length 1, in memory.
Matrix unit_matrix(const Rows& x);

}  // namespace shoal
