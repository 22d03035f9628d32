#pragma once

#include <span>

#include "shoal/core/labels.h"
#include "shoal/core/run.h"
#include "shoal/near/exact.h"
#include "shoal/reduce/neighbour_graph_impl.h"

namespace shoal {

/// exp(-beta (x - least x)), scaled to sum 1, with beta such that 2 to the power of their entropy in bits is
/// `perplexity` (within a relative 1e-5). x: squared distances / 2, or any multiple of them. Where beta
/// cannot do that: all equal, if `perplexity` is not below their number; equal for the least and 0 for
/// others, if so many x are the least. Sums are in double, exponentials the kernels'.
void calibrate(std::span<const float> x, double perplexity, std::span<float> out);  // out: out

/// p_ij of van der Maaten and Hinton (2008): the mean of what two points say of each other, over the number
/// of points; all sum to 1. Under cosine, whose distance is half the squared distance of unit rows, Gaussians
/// are over the latter.
NeighbourGraph joint_affinities(const Neighbours& near, Metric metric, double perplexity, const Run& run);

}  // namespace shoal
