#pragma once

#include "shoal/reduce/umap/umap.h"
#include "shoal/reduce/umap/umap_layout_impl.h"

namespace shoal {

/// The first two principal components, scaled, and a little noise. x: at least 2 rows and a column.
Matrix umap_start(const Rows& x, Seed seed, const Run& run);
/// For a map of so many rows.
UmapDescentOptions umap_descent_options(const UmapOptions& options, Index rows);

}  // namespace shoal
