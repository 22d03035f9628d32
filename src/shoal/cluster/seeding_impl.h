#pragma once

#include "shoal/cluster/unit_rows_impl.h"
#include "shoal/core/random.h"
#include "shoal/core/run.h"

namespace shoal {

/// `n_clusters` distinct rows by k-means++ (Arthur, Vassilvitskii 2007) on the sphere: each next row is drawn
/// in proportion to D^2 = 2 (1 - cosine) to the nearest row drawn so far. Drawn in batches: candidates come
/// from the D^2 before the batch and are accepted with probability new D^2 / old D^2, which is the same
/// distribution with one pass over the rows a batch instead of one a centroid.
/// Error(data) if there are fewer distinct directions. O(n k d); 4 bytes a row.
Matrix seed_centers(const UnitRows& rows, Index n_clusters, Seed seed, const Run& run);

}  // namespace shoal
