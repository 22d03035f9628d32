#pragma once

#include <cstdint>

#include "shoal/core/labels.h"
#include "shoal/core/matrix.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"
#include "shoal/reduce/umap/umap_layout_impl.h"

namespace shoal {

/// Places for new points on a map that stands still: near.rows() x 2. `near`: of each new point, among the
/// points of the map; `scales`: local_scales of the map's points. Starts at the mean of the neighbours'
/// places, weighted by strength, and then moves as in optimise_layout, but all edges pull in every epoch,
/// each with its strength: the place depends smoothly on the distances. All points see the same random
/// points, so that none depends on which others come. A point nearer to one of the map than that one's own
/// nearest neighbour is drawn to it in proportion, up to the very place at distance 0. Progress as step
/// "place".
Matrix place_points(const Neighbours& near, MatrixView map, const Matrix& scales,
                    const UmapDescentOptions& options, const Run& run);

/// Tells whether two tables hold the same float32 numbers. Guards against mistakes, not against forgery.
std::uint64_t rows_fingerprint(const Rows& x, const Run& run);

}  // namespace shoal
