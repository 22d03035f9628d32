#pragma once

#include <cstdint>
#include <vector>

#include "shoal/core/matrix.h"
#include "shoal/map/place_names.h"

namespace shoal {

/// The box that a map shows first: far tails and small islands far out are left outside, so that the rest can
/// be seen. Slices are taken from the four sides, always the one that shortens its side most for the points
/// in it, as long as a share of the points buys at least three times that share of the side, and at least 96
/// % of the finite points stay inside. So nothing is left out of a map without tails. Each side lies on a
/// point. points: rows x 2. Without tails it is the box of all finite points. One place or none: as map_box.
/// O(rows log rows).
MapBox dense_view(MatrixView points);

/// The box of all finite points. One place or none: as map_box.
MapBox whole_view(MatrixView points);

/// How many finite points lie outside the box.
Index count_outside(MatrixView points, const MapBox& box);

/// Lines of equal density, as on a chart of the sea. Level 0 surrounds the thinnest part that is still drawn.
struct Contours {
  Place low;        ///< where (0, 0) lies
  double unit = 0;  ///< how far apart two whole numbers lie, on both axes
  Index levels = 0;
  struct Ring {
    Index level = 0;
    std::vector<std::int32_t> x, y;  ///< closed: the last is followed by the first
  };
  std::vector<Ring> rings;  ///< by level; a hole is a ring inside another one of its level
};

/// Found on a grid with cells of 1/160 of the view's longer side, which reaches half of that side beyond the
/// view, after smoothing that is wider for fewer points. The six levels hold the densest 96, 80, 60, 40, 22
/// and 8 % of the points. Whole numbers throughout, so the same on every machine. Fewer than 20 points: no
/// rings.
Contours contours(MatrixView points, const MapBox& view);

}  // namespace shoal
