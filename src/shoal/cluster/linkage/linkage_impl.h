#pragma once

#include <cstdint>
#include <vector>

#include "shoal/cluster/linkage/dendrogram.h"
#include "shoal/cluster/linkage/living_clusters_impl.h"
#include "shoal/core/run.h"

namespace shoal {

/// Two clusters, by their lowest points, that join under the lower of both.
struct PointJoin {
  std::uint32_t into = 0, other = 0;
  double height = 0;  // in the points' frame
};

/// Where joining stands: reports it, and hears a stop.
class JoinProgress {
 public:
  /// `equal` rows have joined already.
  JoinProgress(const Run& run, Index rows, Index equal);
  void joined(Index more);

 private:
  const Run& run_;
  Index total_, done_;
};

/// For `mean_cosine` and `ward`: rounds in which all pairs of clusters that are each other's nearest join.
/// Distances to a joined cluster are never below the least to its parts (Bruynooghe 1978), so that such pairs
/// may join in any order. The joins come in the order of the rounds.
std::vector<PointJoin> join_in_rounds(Points& points, Measure measure, const Run& run,
                                      JoinProgress& progress);

/// Centroid linkage: the nearest pair of all, one after another. The joins come in their order.
std::vector<PointJoin> join_centroids(Points& points, const Run& run, JoinProgress& progress);

/// Single linkage: the edges of the minimum spanning tree, the least first.
std::vector<PointJoin> join_single(Points& points, const Run& run, JoinProgress& progress);

/// From the distances of all pairs: complete linkage (float32) or average (double).
/// The joins come in no particular order, but after those of their parts.
std::vector<PointJoin> join_complete(Points& points, const Run& run, JoinProgress& progress);
std::vector<PointJoin> join_average(Points& points, const Run& run, JoinProgress& progress);

/// Bytes that the last two need for their distances.
double complete_bytes(Index points);
double average_bytes(Index points);

/// The tree over all rows: equal rows first, at height 0, then the joins; `by_height`: the lowest first,
/// equal heights by the lowest rows, no join before those of its parts; otherwise as they come.
Dendrogram make_dendrogram(const Points& points, const std::vector<PointJoin>& joins, bool by_height);

}  // namespace shoal
