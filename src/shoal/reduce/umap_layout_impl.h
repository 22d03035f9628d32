#pragma once

#include "shoal/core/matrix.h"
#include "shoal/core/random.h"
#include "shoal/core/run.h"
#include "shoal/reduce/umap_curve_impl.h"
#include "shoal/reduce/umap_graph_impl.h"

namespace shoal {

struct LayoutOptions {
  Curve curve;
  Index n_epochs = 200;
  float learning_rate = 1.0f;
  Index negative_sample_rate = 5;
  Seed seed;
};

/// Section 3.2 of McInnes et al.: moves `positions` (points x 2) so that joined points attract and others
/// repel each other. The original goes from edge to edge and moves both ends at once, so its result hangs on
/// the order. Here each point moves itself, in four turns an epoch (points 0, 4, 8, ... first): within a turn
/// all see the positions from before it, so any number of threads gives the same bits. A point goes through
/// its edges that are due, one after the other: a pull along the edge, then the sum of the pushes away from
/// `negative_sample_rate` random points. O(epochs * edges * (1 + negative_sample_rate)) in time.
void optimise_layout(const NeighbourGraph& graph, const LayoutOptions& options, MatrixSpan positions,
                     const Run& run);

}  // namespace shoal
