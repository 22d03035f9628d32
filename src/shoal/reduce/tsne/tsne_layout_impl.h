#pragma once

#include <span>

#include "shoal/core/matrix.h"
#include "shoal/core/random.h"
#include "shoal/core/run.h"
#include "shoal/reduce/neighbour_graph_impl.h"

namespace shoal {

/// So many iterations of gradient descent in the same manner.
struct TsnePhase {
  Index n_iter = 0;
  float exaggeration = 1, learning_rate = 200, momentum = 0.8f;
};

/// Moves `positions` (points x 2) along the gradient of the Kullback-Leibler divergence, without its factor
/// 4:
///   sum over j of (exaggeration p_ij - q_ij / Z) q_ij (y_i - y_j),  q_ij = 1 / (1 + |y_i - y_j|^2).
/// Momentum, and gains as in van der Maaten's program (Jacobs 1988): a coordinate that goes on in its
/// direction takes longer and longer steps, one that turns back shorter ones. No step is longer than 5. Both
/// go on from phase to phase. Repulsion is pair by pair up to 1,500 points, on a grid above. Returns the
/// divergence, without exaggeration, at the end.
float optimise_tsne(const NeighbourGraph& affinities, std::span<const TsnePhase> phases, Seed seed,
                    MatrixSpan positions, const Run& run);

}  // namespace shoal
