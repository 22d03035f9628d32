#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "shoal/core/labels.h"
#include "shoal/core/matrix.h"

namespace shoal {

/// A symmetric weighted graph, row by row: the edges of point i are at first[i] .. first[i + 1], by id.
struct NeighbourGraph {
  std::vector<Index> first;  ///< points + 1
  std::vector<std::uint32_t> id;
  std::vector<float> weight;  ///< above 0

  Index points() const { return first.size() - 1; }
};

/// An edge wherever i names j as a neighbour or j names i. `strength` goes with near.id; the weight is
/// join(strength of j for i, strength of i for j), 0 where it does not name it, and must be symmetric. Edges
/// whose weight is 0 are left out. O(points k log k).
NeighbourGraph join_neighbours(const Neighbours& near, const std::vector<float>& strength,
                               const std::function<float(float, float)>& join);

}  // namespace shoal
