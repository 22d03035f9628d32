#pragma once

#include <span>

#include "shoal/core/run.h"
#include "shoal/reduce/tsne/tsne_point_impl.h"

namespace shoal {

/// How points of a t-SNE map repel each other, pair by pair: push[i] = sum over j of q^2 (y_i - y_j), where
/// q = 1 / (1 + |y_i - y_j|^2); returns the sum of q over all i != j. O(n^2).
double repel_pairs(std::span<const MapPoint> y, std::span<MapPoint> push, const Run& run);

}  // namespace shoal
