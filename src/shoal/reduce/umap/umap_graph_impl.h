#pragma once

#include <algorithm>
#include <array>
#include <span>

#include "shoal/core/labels.h"
#include "shoal/core/matrix.h"
#include "shoal/core/run.h"
#include "shoal/reduce/neighbour_graph_impl.h"

namespace shoal {

/// How each point sees distances (section 3.1 of McInnes et al.), points x 2: rho, the distance of its
/// nearest neighbour that is not at distance 0 (0 if all are), and sigma, such that the strengths exp(-max(0,
/// d - rho) / sigma) of its k neighbours sum to log2(k + 1). O(points k).
Matrix local_scales(const Neighbours& near, const Run& run);

/// The strengths, after local_scales, of one list of neighbours; `rho` and `sigma` are a row of it.
void neighbour_strengths(std::span<const float> distance, float rho, float sigma, std::span<float> out);

/// Rho and sigma of one list. A sigma is not below 0.001 of the list's mean distance, or, where all are 0, of
/// `everywhere`.
std::array<float, 2> local_scale(std::span<const float> distance, double everywhere);

/// Each point's neighbours get strengths; then two opinions of a pair, p and q, are united to p + q - pq.
/// O(points k log k).
NeighbourGraph fuzzy_graph(const Neighbours& near, const Matrix& scales, const Run& run);

/// p + q - pq. In this order for (p, q) and (q, p) alike: addition and multiplication do not mind.
inline float unite(float p, float q) { return std::min(1.0f, (p + q) - p * q); }

}  // namespace shoal
