#include "shoal/reduce/tsne/tsne_affinities_impl.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "shoal/core/chunks.h"
#include "shoal/kernels/kernels.h"

namespace shoal {
namespace {

constexpr Index kGrain = 512;        // points a chunk
constexpr int kHalvings = 100;       // of the search for beta
constexpr double kTolerance = 1e-5;  // of the entropy, in nats
constexpr double kMostBeta = 1e30;   // then all but the least have long vanished

// By the kernel: the standard library's may differ from machine to machine.
double log(double x) {
  auto y = static_cast<float>(x);
  kernels().log(&y, &y, 1);
  return y;
}

struct Sums {
  double weight = 0, moment = 0;  // of w, of w x
  double entropy(double beta) const { return log(weight) + beta * moment / weight; }
};

Sums strengths(std::span<const float> x, double beta, std::span<float> out) {
  const auto factor = static_cast<float>(-beta);
  for (Index j = 0; j < x.size(); ++j) out[j] = factor * x[j];
  kernels().exp(out.data(), out.data(), out.size());
  Sums sums;
  for (Index j = 0; j < x.size(); ++j) {
    sums.weight += out[j];
    sums.moment += static_cast<double>(out[j]) * x[j];
  }
  return sums;
}

// The row's squared distances in any unit: the largest euclidean one is 1, so that squares of huge or tiny
// ones remain numbers. A cosine distance is a square as it is.
void squares(std::span<const float> distance, Metric metric, std::span<float> out) {
  const float most = *std::max_element(distance.begin(), distance.end());
  for (Index j = 0; j < distance.size(); ++j) {
    const float share = metric == Metric::euclidean && most > 0 ? distance[j] / most : 0;
    out[j] = metric == Metric::euclidean ? share * share : distance[j];
  }
}

}  // namespace

void calibrate(std::span<const float> x, double perplexity, std::span<float> out) {
  const auto count = static_cast<double>(x.size());
  const float least = *std::min_element(x.begin(), x.end());
  double mean = 0;
  for (const float v : x) mean += (v - least) / count;
  if (mean == 0 || perplexity >= count) {
    std::fill(out.begin(), out.end(), static_cast<float>(1 / count));
    return;
  }
  std::vector<float> excess(x.size());  // over the least, in units of the mean
  for (Index j = 0; j < x.size(); ++j) excess[j] = static_cast<float>((x[j] - least) / mean);
  const double target = log(perplexity);
  double low = 0, high = std::numeric_limits<double>::infinity(), beta = 1;
  Sums sums;
  for (int i = 0; i < kHalvings; ++i) {
    sums = strengths(excess, beta, out);
    const double off = sums.entropy(beta) - target;
    if (std::abs(off) < kTolerance) break;
    (off > 0 ? low : high) = beta;
    beta = std::isinf(high) ? 2 * beta : (low + high) / 2;
    if (beta > kMostBeta) break;
  }
  for (float& v : out) v = static_cast<float>(v / sums.weight);
}

NeighbourGraph joint_affinities(const Neighbours& near, Metric metric, double perplexity, const Run& run) {
  const Index n = near.rows(), k = near.k;
  std::vector<float> strength(near.distance.size());
  for_chunks(run, n, kGrain, [&](Index, Index first, Index last) {
    std::vector<float> x(k);
    for (Index i = first; i < last; ++i) {
      squares({near.distance.data() + i * k, k}, metric, x);
      calibrate(x, perplexity, {strength.data() + i * k, k});
    }
  });
  const float share = 0.5f / static_cast<float>(n);
  return join_neighbours(near, strength, [share](float p, float q) { return share * (p + q); });
}

}  // namespace shoal
