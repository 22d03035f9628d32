#include <algorithm>
#include <cmath>
#include <limits>

#include "shoal/core/chunks.h"
#include "shoal/kernels/kernels.h"
#include "shoal/reduce/umap/umap_graph_impl.h"

namespace shoal {
namespace {

constexpr Index kGrain = 1024;        // points a chunk
constexpr int kHalvings = 64;         // of the search for sigma
constexpr float kTolerance = 1e-5f;   // of the sum of strengths
constexpr double kLeastSigma = 1e-3;  // as a share of the mean distance

double mean(std::span<const float> x) {
  double sum = 0;
  for (float v : x) sum += v;
  return x.empty() ? 0 : sum / static_cast<double>(x.size());
}

double mean_distance(const Neighbours& near, const Run& run) {
  const double sum = fold_chunks(
      run, near.distance.size(), kGrain * 16, 0.0,
      [&](Index first, Index last) {
        return mean({near.distance.data() + first, last - first}) * static_cast<double>(last - first);
      },
      [](double& total, double part) { total += part; });
  return sum / static_cast<double>(near.distance.size());
}

// exp(-max(0, d - rho) / sigma) of each distance; returns the sum.
float strengths(std::span<const float> distance, float rho, float sigma, std::span<float> out) {
  for (Index j = 0; j < distance.size(); ++j) out[j] = -std::max(0.0f, distance[j] - rho) / sigma;
  kernels().exp(out.data(), out.data(), out.size());
  return kernels().sum(out.data(), out.size());
}

// By the kernel: the standard library's may differ from machine to machine.
float log2(float x) {
  kernels().log(&x, &x, 1);
  return x * 1.44269504f;
}

}  // namespace

std::array<float, 2> local_scale(std::span<const float> distance, double everywhere) {
  const auto nearest = std::find_if(distance.begin(), distance.end(), [](float d) { return d > 0; });
  const float rho = nearest == distance.end() ? 0 : *nearest;
  const float target = log2(static_cast<float>(distance.size() + 1));
  float low = 0, high = std::numeric_limits<float>::infinity(), sigma = 1;
  std::vector<float> scratch(distance.size());
  for (int i = 0; i < kHalvings; ++i) {
    const float sum = strengths(distance, rho, sigma, scratch);
    if (std::abs(sum - target) < kTolerance) break;
    if (sum > target) {
      high = sigma;
      sigma = (low + high) / 2;
    } else {
      low = sigma;
      sigma = std::isinf(high) ? sigma * 2 : (low + high) / 2;
    }
  }
  const auto least = static_cast<float>(kLeastSigma * (rho > 0 ? mean(distance) : everywhere));
  return {rho, std::max(sigma, least)};
}

void neighbour_strengths(std::span<const float> distance, float rho, float sigma, std::span<float> out) {
  if (sigma > 0)
    strengths(distance, rho, sigma, out);
  else
    std::fill(out.begin(), out.end(), 1.0f);
}

Matrix local_scales(const Neighbours& near, const Run& run) {
  const Index k = near.k;
  const double everywhere = mean_distance(near, run);
  Matrix scales(near.rows(), 2);
  for_chunks(run, near.rows(), kGrain, [&](Index, Index first, Index last) {
    for (Index i = first; i < last; ++i)
      std::ranges::copy(local_scale({near.distance.data() + i * k, k}, everywhere), scales[i].begin());
  });
  return scales;
}

NeighbourGraph fuzzy_graph(const Neighbours& near, const Matrix& scales, const Run& run) {
  const Index k = near.k;
  std::vector<float> strength(near.distance.size());
  for_chunks(run, near.rows(), kGrain, [&](Index, Index first, Index last) {
    for (Index i = first; i < last; ++i)
      neighbour_strengths({near.distance.data() + i * k, k}, scales[i][0], scales[i][1],
                          {strength.data() + i * k, k});
  });
  return join_neighbours(near, strength, unite);
}

}  // namespace shoal
