#pragma once

#include "shoal/cluster/spherical_kmeans.h"
#include "shoal/core/run.h"
#include "shoal/store/collection.h"

namespace shoal {

/// Gives each cluster words, a name and typical texts, joins clusters into groups by their centroids, names
/// those, and writes all to the collection. Texts stream by: memory does not grow with them. Step "explain",
/// in rows.
void name_clusters(Collection& collection, const Rows& vectors, const SphericalKMeans& fitted,
                   const Run& run);

}  // namespace shoal
