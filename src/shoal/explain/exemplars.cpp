#include "shoal/explain/exemplars.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/explain/medoids.h"
#include "shoal/kernels/kernels.h"

namespace shoal {
namespace {

constexpr Index kNearest = 20;  // rows to choose from for each that is wanted

/// 0 where a row has no direction.
double cosine(std::span<const float> a, std::span<const float> b) {
  const auto dot = [](std::span<const float> p, std::span<const float> q) {
    return static_cast<double>(kernels().dot(p.data(), q.data(), p.size()));
  };
  const double value = dot(a, b) / std::sqrt(dot(a, a) * dot(b, b));
  return std::isfinite(value) ? value : 0;
}

Matrix rows_of(const Rows& x, const std::vector<Index>& which) {
  Matrix out(which.size(), x.cols()), scratch;
  for (Index i = 0; i < which.size(); ++i) {
    const auto row = x.block(which[i], 1, scratch)[0];
    std::copy(row.begin(), row.end(), out[i].begin());
  }
  return out;
}

/// Which of `near`, nearest first, are chosen, in order.
std::vector<Index> choose(const Matrix& near, std::span<const float> center, const ExemplarOptions& options) {
  std::vector<double> to_center(near.rows()), to_chosen(near.rows(), -1);
  for (Index i = 0; i < near.rows(); ++i) to_center[i] = cosine(near[i], center);
  std::vector<bool> taken(near.rows());
  std::vector<Index> out;
  while (out.size() < std::min(options.n, near.rows())) {
    Index best = near.rows();
    double highest = -std::numeric_limits<double>::infinity();
    for (Index i = 0; i < near.rows(); ++i) {
      // The first is the nearest, whatever the diversity: there is nothing yet to differ from.
      const double unlike = out.empty() ? 0 : options.diversity * to_chosen[i];
      const double value = (1 - options.diversity) * to_center[i] - unlike;
      if (taken[i] || !(value > highest)) continue;
      highest = value;
      best = i;
    }
    taken[best] = true;
    out.push_back(best);
    for (Index i = 0; i < near.rows(); ++i)
      to_chosen[i] = std::max(to_chosen[i], cosine(near[i], near[best]));
  }
  return out;
}

}  // namespace

std::vector<std::vector<Index>> exemplars(const Rows& x, const Labels& labels, const Matrix& centers,
                                          const ExemplarOptions& options, const Run& run) {
  check_options(options);
  if (options.diversity == 0) return medoids(x, labels, centers, options.n, run);
  auto out = medoids(x, labels, centers, kNearest * options.n, run);
  for_chunks(run, labels.count, 1, [&](Index c, Index, Index) {
    std::vector<Index> chosen;
    for (Index i : choose(rows_of(x, out[c]), centers[c], options)) chosen.push_back(out[c][i]);
    out[c] = std::move(chosen);
  });
  return out;
}

}  // namespace shoal
