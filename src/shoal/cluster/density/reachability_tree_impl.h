#pragma once

#include <compare>
#include <cstdint>
#include <vector>

#include "shoal/cluster/linkage/dendrogram.h"
#include "shoal/core/labels.h"
#include "shoal/core/run.h"
#include "shoal/near/prepared_impl.h"

namespace shoal {

/// An edge between rows first < second. All edges have one order: by weight, then by the rows.
struct TreeEdge {
  float weight = 0;
  std::uint32_t first = 0, second = 0;

  auto operator<=>(const TreeEdge&) const = default;
};

/// The minimum spanning tree of x's rows under mutual reachability, max(core[a], core[b], distance(a, b)), in
/// order of its edges. Exact, and one answer: ties go by the order of edges.
///
/// In rounds, as Boruvka's (1926): every component of rows is joined by its shortest edge to another. The
/// lists of nearest neighbours give an edge; it is the shortest if no row of the component could have a
/// shorter one that its list does not hold: such an edge is at least as long as the list's last, and as the
/// row's core distance. Where no component can be decided so, those rows that leave it open look for their
/// nearest row in other components by blocked products; what they find stands as long as it lies in another
/// component. The largest component never looks: all others do.
///
/// near: the nearest neighbours of each row, self excluded, as nearest_neighbours gives them on these rows.
/// Progress as step "spanning tree". Error(cancelled).
std::vector<TreeEdge> reachability_tree(const Prepared& x, const Neighbours& near,
                                        const std::vector<float>& core, const Run& run);

/// The joinings that the edges of a spanning tree, in order, make.
Dendrogram joinings(Index rows, const std::vector<TreeEdge>& edges);

}  // namespace shoal
