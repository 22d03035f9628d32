#include <algorithm>
#include <cmath>
#include <limits>

#include "shoal/core/chunks.h"
#include "shoal/kernels/kernels.h"
#include "shoal/reduce/umap_graph_impl.h"

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

// Writes the strengths of one point's neighbours. `everywhere`: mean distance over all points.
void smooth(std::span<const float> distance, double everywhere, std::span<float> out) {
  const auto nearest = std::find_if(distance.begin(), distance.end(), [](float d) { return d > 0; });
  const float rho = nearest == distance.end() ? 0 : *nearest;
  const float target = log2(static_cast<float>(distance.size() + 1));
  float low = 0, high = std::numeric_limits<float>::infinity(), sigma = 1;
  for (int i = 0; i < kHalvings; ++i) {
    const float sum = strengths(distance, rho, sigma, out);
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
  if (sigma < least) sigma = least;
  if (sigma > 0)
    strengths(distance, rho, sigma, out);
  else
    std::fill(out.begin(), out.end(), 1.0f);
}

struct Edge {
  std::uint32_t id;
  float weight;
};

// Who named point i, and how strongly: by naming point, ascending.
struct Named {
  std::vector<Index> first;
  std::vector<Edge> edges;
};

Named turn_round(const Neighbours& near, const std::vector<float>& strength) {
  const Index n = near.rows();
  Named named{std::vector<Index>(n + 1), std::vector<Edge>(near.id.size())};
  for (std::uint32_t id : near.id) ++named.first[id + 1];
  for (Index i = 0; i < n; ++i) named.first[i + 1] += named.first[i];
  std::vector<Index> at(named.first.begin(), named.first.end() - 1);
  for (Index e = 0; e < near.id.size(); ++e)
    named.edges[at[near.id[e]]++] = {static_cast<std::uint32_t>(e / near.k), strength[e]};
  return named;
}

// Both lists are sorted by id; calls edge(id, weight) for each id in either.
template <class F>
void unite(std::span<const Edge> a, std::span<const Edge> b, F&& edge) {
  Index i = 0, j = 0;
  while (i < a.size() || j < b.size()) {
    if (j == b.size() || (i < a.size() && a[i].id < b[j].id)) {
      edge(a[i].id, a[i].weight);
      ++i;
    } else if (i == a.size() || b[j].id < a[i].id) {
      edge(b[j].id, b[j].weight);
      ++j;
    } else {
      // In this order for (i, j) and (j, i) alike: addition and multiplication do not mind.
      edge(a[i].id, std::min(1.0f, (a[i].weight + b[j].weight) - a[i].weight * b[j].weight));
      ++i, ++j;
    }
  }
}

}  // namespace

FuzzyGraph fuzzy_graph(const Neighbours& near, const Run& run) {
  const Index n = near.rows(), k = near.k;
  const double everywhere = mean_distance(near, run);
  std::vector<float> strength(near.distance.size());
  for_chunks(run, n, kGrain, [&](Index, Index first, Index last) {
    for (Index i = first; i < last; ++i)
      smooth({near.distance.data() + i * k, k}, everywhere, {strength.data() + i * k, k});
  });

  const Named named = turn_round(near, strength);
  FuzzyGraph graph;
  graph.first.assign(1, 0);
  graph.id.reserve(near.id.size() * 3 / 2);
  graph.weight.reserve(near.id.size() * 3 / 2);
  std::vector<Edge> own(k);
  for (Index i = 0; i < n; ++i) {
    for (Index j = 0; j < k; ++j) own[j] = {near.id[i * k + j], strength[i * k + j]};
    std::sort(own.begin(), own.end(), [](const Edge& a, const Edge& b) { return a.id < b.id; });
    unite(own, std::span(named.edges).subspan(named.first[i], named.first[i + 1] - named.first[i]),
          [&](std::uint32_t id, float weight) {
            if (weight <= 0) return;  // a strength may underflow
            graph.id.push_back(id);
            graph.weight.push_back(weight);
          });
    graph.first.push_back(graph.id.size());
  }
  return graph;
}

}  // namespace shoal
