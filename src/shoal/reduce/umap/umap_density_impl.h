#pragma once

#include <span>
#include <vector>

#include "shoal/core/labels.h"
#include "shoal/core/run.h"
#include "shoal/reduce/umap/umap_force_impl.h"
#include "shoal/reduce/umap/umap_graph_impl.h"

namespace shoal {

/// Logarithm of each point's local radius among the rows: the mean of its edges' squared distances, weighted
/// by the edges. Narayan, Berger, Cho, Nature Biotechnology 39, 2021, equation 1 (there of one's own opinion
/// of the neighbours, as the authors' program of both). `near`: what the graph was made of. O(points k log
/// k).
std::vector<float> log_radii(const NeighbourGraph& graph, const Neighbours& near, const Run& run);

/// The same on the map: the mean of a point's squared edge lengths there, weighted by 1 / (1 + a d^(2b)).
std::vector<float> map_log_radii(const NeighbourGraph& graph, Curve curve, MatrixView map, const Run& run);

/// What is to be kept of the densities.
struct DensityOptions {
  float lambda = 0;               ///< 0: nothing
  float frac = 0.3f;              ///< share of the epochs, the last ones, in which it is asked for
  float var_shift = 0.1f;         ///< added to the variance of the map's radii
  std::vector<float> log_radius;  ///< of each point, as log_radii
};

/// The force that makes log radii on the map follow those among the rows: the gradient of their correlation,
/// times lambda.
class DensityForce {
 public:
  /// `graph` must outlive it.
  DensityForce(const DensityOptions& options, Curve curve, const NeighbourGraph& graph);
  /// Measures the map as it is now.
  void update(std::span<const Spot> map, const Run& run);
  /// What moves point i, now at `from`, by its edge to j. `period`: the strongest edge's weight in this
  /// one's.
  Spot pull(Index i, Index j, Spot from, Spot to, float period, const ForceTable& attraction) const;
  const std::vector<float>& log_radius() const { return log_radius_; }  ///< map_log_radii, as last measured

 private:
  const NeighbourGraph& graph_;
  float lambda_, var_shift_, b_;
  double total_ = 0;  // of the edges' weights, the strongest's being 1
  ForceTable similarity_;
  std::vector<float> target_;   // log radii among the rows: mean 0, deviation 1
  std::vector<float> similar_;  // sum of a point's similarities
  std::vector<float> radius_, log_radius_;
  std::vector<float> by_similarity_, by_radius_;  // a point's share in the gradient
  float factor_ = 0;
};

}  // namespace shoal
