#include "shoal/measure/rank_correlation.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace shoal {
namespace {

std::vector<std::uint32_t> levels_of(std::span<const double> values) {
  std::vector<Index> order(values.size());
  std::iota(order.begin(), order.end(), Index{0});
  std::ranges::stable_sort(order, {}, [&](Index i) { return values[i]; });
  std::vector<std::uint32_t> out(values.size());
  std::uint32_t level = 0;
  for (Index i = 0; i < order.size(); ++i) {
    if (i > 0 && values[order[i]] != values[order[i - 1]]) ++level;
    out[order[i]] = level;
  }
  return out;
}

/// The rank that each level's items share, from 0.
std::vector<double> ranks_of(const std::vector<std::uint32_t>& levels, std::span<const std::uint32_t> times) {
  std::vector<double> sizes;
  for (Index i = 0; i < levels.size(); ++i) {
    if (levels[i] >= sizes.size()) sizes.resize(levels[i] + std::size_t{1});
    sizes[levels[i]] += times[i];
  }
  double before = 0;
  for (double& size : sizes) {
    const double n = size;
    size = before + (n - 1) / 2;
    before += n;
  }
  return sizes;
}

double correlation(double xy, double xx, double yy) { return xx > 0 && yy > 0 ? xy / std::sqrt(xx * yy) : 0; }

}  // namespace

RankedLists::RankedLists(std::span<const double> a, std::span<const double> b)
    : a_(levels_of(a)), b_(levels_of(b)) {}

double RankedLists::spearman(std::span<const std::uint32_t> times) const {
  const std::vector<double> x = ranks_of(a_, times), y = ranks_of(b_, times);
  double n = 0, xy = 0, xx = 0, yy = 0;
  for (const std::uint32_t t : times) n += t;
  const double mean = (n - 1) / 2;
  for (Index i = 0; i < a_.size(); ++i) {
    const double dx = x[a_[i]] - mean, dy = y[b_[i]] - mean;
    xy += times[i] * (dx * dy);
    xx += times[i] * (dx * dx);
    yy += times[i] * (dy * dy);
  }
  return correlation(xy, xx, yy);
}

double spearman(std::span<const double> a, std::span<const double> b) {
  return RankedLists(a, b).spearman(std::vector<std::uint32_t>(a.size(), 1));
}

double pearson(std::span<const double> a, std::span<const double> b, std::span<const std::uint32_t> times) {
  double n = 0, x = 0, y = 0;
  for (Index i = 0; i < a.size(); ++i) n += times[i], x += times[i] * a[i], y += times[i] * b[i];
  if (n == 0) return 0;
  x /= n, y /= n;
  double xy = 0, xx = 0, yy = 0;
  for (Index i = 0; i < a.size(); ++i) {
    const double dx = a[i] - x, dy = b[i] - y;
    xy += times[i] * (dx * dy);
    xx += times[i] * (dx * dx);
    yy += times[i] * (dy * dy);
  }
  // The mean of equal numbers may be off by its rounding: what is left of them is no spread.
  const auto flat = [](std::span<const double> values) {
    return std::ranges::all_of(values, [&](double v) { return v == values[0]; });
  };
  return flat(a) || flat(b) ? 0 : correlation(xy, xx, yy);
}

double pearson(std::span<const double> a, std::span<const double> b) {
  return pearson(a, b, std::vector<std::uint32_t>(a.size(), 1));
}

}  // namespace shoal
