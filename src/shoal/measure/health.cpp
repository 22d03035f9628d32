#include "shoal/measure/health.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <set>

#include "shoal/kernels/kernels.h"
#include "shoal/linear/symmetric_eigen.h"

namespace shoal {
namespace {

std::string number(double x) {
  char out[32];
  std::snprintf(out, sizeof out, "%.3g", x);
  return out;
}

}  // namespace

Health health_of(MatrixView vectors, std::span<const std::pair<Index, Index>> together) {
  const Index n = vectors.rows;
  std::set<std::pair<Index, Index>> pairs;
  for (const auto& [a, b] : together) pairs.emplace(std::min(a, b), std::max(a, b));
  std::vector<double> lengths(n);
  for (Index i = 0; i < n; ++i)
    lengths[i] = std::max(
        1e-12,
        std::sqrt(static_cast<double>(kernels().dot(vectors[i].data(), vectors[i].data(), vectors.cols))));
  std::vector<double> cosines(n * n, 1.0);
  Health out;
  double sum = 0, spread = 0, aligned = 0;
  Index count = 0;
  for (Index i = 0; i < n; ++i)
    for (Index j = i + 1; j < n; ++j) {
      const double cosine =
          static_cast<double>(kernels().dot(vectors[i].data(), vectors[j].data(), vectors.cols)) /
          (lengths[i] * lengths[j]);
      cosines[i * n + j] = cosines[j * n + i] = cosine;
      if (pairs.contains({i, j})) {
        aligned += 2 - 2 * cosine;
        continue;
      }
      sum += cosine;
      spread += std::exp(-4 + 4 * cosine);
      ++count;
    }
  if (count > 0) {
    out.mean_cosine = sum / static_cast<double>(count);
    out.uniformity = std::log(spread / static_cast<double>(count));
  }
  if (!pairs.empty()) out.alignment = aligned / static_cast<double>(pairs.size());
  if (!std::isfinite(out.mean_cosine)) return out;
  // The squares of the singular values of the rows are the eigenvalues of their products with each other.
  const EigenPairs symmetric = symmetric_eigen(cosines, n);
  double total = 0, entropy = 0;
  for (const double value : symmetric.values) total += std::sqrt(std::max(value, 0.0));
  for (const double value : symmetric.values) {
    const double share = std::sqrt(std::max(value, 0.0)) / total;
    if (share > 0) entropy -= share * std::log(share);
  }
  out.effective_rank = std::exp(entropy);
  return out;
}

std::string harm_of(const Health& before, const Health& now, const std::string& things) {
  constexpr double kWay = 0.5, kRank = 0.25;
  if (!std::isfinite(now.mean_cosine)) return "the vectors are no numbers any more";
  if (now.mean_cosine > before.mean_cosine + kWay * (1 - before.mean_cosine))
    return "the space collapses: the mean cosine of " + things +
           " that have nothing to do with each other rose from " + number(before.mean_cosine) + " to " +
           number(now.mean_cosine);
  if (now.effective_rank < kRank * before.effective_rank)
    return "the space collapses: its effective rank fell from " + number(before.effective_rank) + " to " +
           number(now.effective_rank);
  return {};
}

}  // namespace shoal
