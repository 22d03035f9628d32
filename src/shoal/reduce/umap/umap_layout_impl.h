#pragma once

#include "shoal/core/matrix.h"
#include "shoal/core/random.h"
#include "shoal/core/run.h"
#include "shoal/reduce/umap/umap_curve_impl.h"
#include "shoal/reduce/umap/umap_density_impl.h"
#include "shoal/reduce/umap/umap_graph_impl.h"

namespace shoal {

struct UmapDescentOptions {
  Curve curve;
  Index n_epochs = 200;
  float learning_rate = 1.0f;
  Index negative_sample_rate = 5;
  Seed seed;
  DensityOptions density;
  /// Where each of several maps that are laid out together begins; empty: one map. Only points of one map
  /// repel each other.
  std::vector<Index> maps;
  /// Ties between points of different maps: springs, which draw a point to their other ends each time one of
  /// its edges does. No points: none.
  NeighbourGraph ties{{0}, {}, {}};
};

/// The edges that a layout of so many epochs ever uses: none is weaker than the strongest / n_epochs.
NeighbourGraph without_idle_edges(const NeighbourGraph& graph, Index n_epochs);

/// Section 3.2 of McInnes et al.: moves `positions` (points x 2) so that joined points attract and others
/// repel each other. The original goes from edge to edge and moves both ends at once, so its result hangs on
/// the order. Here each point moves itself, in four turns an epoch (points 0, 4, 8, ... first): within a turn
/// all see the positions from before it, so any number of threads gives the same bits. A point goes through
/// its edges that are due, one after the other: a pull along the edge, then the sum of the pushes away from
/// `negative_sample_rate` random points. graph: without_idle_edges. O(epochs * edges * (1 +
/// negative_sample_rate)) in time.
void optimise_layout(const NeighbourGraph& graph, const UmapDescentOptions& options, MatrixSpan positions,
                     const Run& run);

}  // namespace shoal
