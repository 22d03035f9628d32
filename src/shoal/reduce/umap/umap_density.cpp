#include "shoal/reduce/umap/umap_density_impl.h"

#include <algorithm>
#include <cmath>

#include "shoal/core/chunks.h"
#include "shoal/kernels/kernels.h"

namespace shoal {
namespace {

constexpr Index kGrain = 1024;  // points a chunk
constexpr float kLeastRadius = 1e-8f;

struct Moments {
  double mean = 0, variance = 0;
};

// In order: the same bits for any number of threads.
Moments moments(std::span<const float> x) {
  Moments m;
  for (const float v : x) m.mean += v;
  m.mean /= static_cast<double>(std::max<Index>(x.size(), 1));
  for (const float v : x) m.variance += (v - m.mean) * (v - m.mean);
  m.variance /= static_cast<double>(std::max<Index>(x.size(), 1));
  return m;
}

std::vector<float> standardised(std::vector<float> x) {
  const Moments m = moments(x);
  const double scale = m.variance > 0 ? 1 / std::sqrt(m.variance) : 0;
  for (float& v : x) v = static_cast<float>((v - m.mean) * scale);
  return x;
}

ForceTable similarity_of(Curve curve) {
  const auto a = static_cast<float>(curve.a), b = static_cast<float>(curve.b);
  return ForceTable([&](const float* x, float* y, Index n) {
    kernels().pow(x, b, y, n);
    for (Index i = 0; i < n; ++i) y[i] = 1 / (1 + a * y[i]);
  });
}

}  // namespace

std::vector<float> log_radii(const NeighbourGraph& graph, const Neighbours& near, const Run& run) {
  // The edge's length, from whichever end knows it. Edges of length 0 are not in it.
  const NeighbourGraph length =
      join_neighbours(near, near.distance, [](float p, float q) { return std::max(p, q); });
  std::vector<float> radius(graph.points());
  for_chunks(run, graph.points(), kGrain, [&](Index, Index first, Index last) {
    for (Index i = first; i < last; ++i) {
      float weights = 0, squares = 0;
      Index at = length.first[i];
      for (Index e = graph.first[i]; e < graph.first[i + 1]; ++e) {
        while (at < length.first[i + 1] && length.id[at] < graph.id[e]) ++at;
        const bool known = at < length.first[i + 1] && length.id[at] == graph.id[e];
        weights += graph.weight[e];
        if (known) squares += graph.weight[e] * length.weight[at] * length.weight[at];
      }
      radius[i] = kLeastRadius + (weights > 0 ? squares / weights : 0);
    }
  });
  kernels().log(radius.data(), radius.data(), radius.size());
  return radius;
}

std::vector<float> map_log_radii(const NeighbourGraph& graph, Curve curve, MatrixView map, const Run& run) {
  std::vector<Spot> spots(map.rows);
  for (Index i = 0; i < map.rows; ++i) spots[i] = {map[i][0], map[i][1]};
  DensityForce density({.log_radius = std::vector<float>(map.rows)}, curve, graph);
  density.update(spots, run);
  return density.log_radius();
}

DensityForce::DensityForce(const DensityOptions& options, Curve curve, const NeighbourGraph& graph)
    : graph_(graph),
      lambda_(options.lambda),
      var_shift_(options.var_shift),
      b_(static_cast<float>(curve.b)),
      similarity_(similarity_of(curve)),
      target_(standardised(options.log_radius)),
      similar_(graph.points()),
      radius_(graph.points()),
      log_radius_(graph.points()),
      by_similarity_(graph.points()),
      by_radius_(graph.points()) {
  float strongest = 0;
  for (const float w : graph.weight) strongest = std::max(strongest, w);
  for (const float w : graph.weight) total_ += w / strongest;
}

void DensityForce::update(std::span<const Spot> map, const Run& run) {
  const Index n = map.size();
  for_chunks(run, n, kGrain, [&](Index, Index first, Index last) {
    for (Index i = first; i < last; ++i) {
      float similar = 0, squares = 0;
      for (Index e = graph_.first[i]; e < graph_.first[i + 1]; ++e) {
        const float dx = map[i].x - map[graph_.id[e]].x, dy = map[i].y - map[graph_.id[e]].y;
        const float square = dx * dx + dy * dy, similarity = similarity_(square);
        similar += similarity;
        squares += similarity * square;
      }
      similar_[i] = similar;
      radius_[i] = kLeastRadius + (similar > 0 ? squares / similar : 0);
    }
  });
  kernels().log(radius_.data(), log_radius_.data(), n);
  const Moments m = moments(log_radius_);
  const double variance = m.variance + static_cast<double>(var_shift_);
  if (!(variance > 0)) {  // equal radii and no shift: they follow nothing
    factor_ = 0;
    std::ranges::fill(by_similarity_, 0.0f);
    std::ranges::fill(by_radius_, 0.0f);
    return;
  }
  double covariance = 0;
  for (Index i = 0; i < n; ++i) covariance += static_cast<double>(log_radius_[i]) * target_[i];
  covariance /= static_cast<double>(std::max<Index>(n, 1));
  for (Index i = 0; i < n; ++i) {
    if (similar_[i] <= 0) continue;
    const auto weight = static_cast<float>(target_[i] - covariance * (log_radius_[i] - m.mean) / variance);
    by_similarity_[i] = weight / (2 * similar_[i]);
    by_radius_[i] = by_similarity_[i] / radius_[i];
  }
  factor_ = static_cast<float>(lambda_ * total_ / (std::sqrt(variance) * static_cast<double>(n)));
}

// d/dy of the correlation, along one edge. A log radius changes by the edge's own length and by how the
// edge's similarity changes; both ends' radii change.
Spot DensityForce::pull(Index i, Index j, Spot from, Spot to, float period,
                        const ForceTable& attraction) const {
  const float dx = from.x - to.x, dy = from.y - to.y, square = dx * dx + dy * dy;
  const float similarity = similarity_(square);
  const float slope = -0.5f * attraction(square);  // a b d^(2b - 2) / (1 + a d^(2b))
  const float gradient = similarity * ((1 - b_ * (1 - similarity)) * (by_radius_[i] + by_radius_[j]) +
                                       slope * (by_similarity_[i] + by_similarity_[j]));
  const float step = 2 * factor_ * period * gradient;
  return {clipped(step * dx), clipped(step * dy)};
}

}  // namespace shoal
