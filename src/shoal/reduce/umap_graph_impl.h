#pragma once

#include "shoal/core/labels.h"
#include "shoal/core/run.h"
#include "shoal/reduce/neighbour_graph_impl.h"

namespace shoal {

/// Section 3.1 of McInnes et al. Each point's neighbours get strengths exp(-max(0, d - rho) / sigma), where
/// rho is the distance of its nearest neighbour that is not at distance 0 and sigma is such that the
/// strengths sum to log2(k + 1); then two opinions of a pair, p and q, are united to p + q - pq. O(points k).
NeighbourGraph fuzzy_graph(const Neighbours& near, const Run& run);

}  // namespace shoal
