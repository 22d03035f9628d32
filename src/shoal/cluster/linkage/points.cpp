#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "shoal/cluster/linkage/points_impl.h"
#include "shoal/core/chunks.h"
#include "shoal/linear/norms.h"

namespace shoal {
namespace {

constexpr Index kGrain = 1024;

/// Equal rows have equal hashes: +0 and -0 count as equal.
std::uint64_t hash_of(std::span<const float> row) {
  std::uint64_t h = 0;
  for (const float v : row)
    h = std::rotl((h ^ std::bit_cast<std::uint32_t>(v + 0.0f)) * 0x9e3779b97f4a7c15u, 29);
  return h;
}

double power_of_two_above(double x) {
  int exponent = 0;
  std::frexp(x, &exponent);
  return x > 0 ? std::ldexp(1.0, exponent) : 1;
}

}  // namespace

Points::Points(const Rows& x, Metric metric, const Run& run) : source_(x), metric_(metric) {
  check_finite(x, run);
  floats_ = x.to_matrix();
  if (metric == Metric::cosine) to_unit_length(run);
  find_equal_rows(run);
  for (Index p = 0; p < count(); ++p)
    if (lowest_[p] != p) std::ranges::copy(floats_[lowest_[p]], floats_[p].begin());
  if (metric == Metric::euclidean) to_mean(run);
}

void Points::read(Index point, std::span<double> out) const {
  Matrix scratch;
  const auto row = source_.block(lowest_[point], 1, scratch)[0];
  if (metric_ == Metric::cosine) {
    const double scale = scale_[lowest_[point]];
    for (Index j = 0; j < row.size(); ++j) out[j] = row[j] * scale;
  } else {
    const double scale = 1 / unit_;
    for (Index j = 0; j < row.size(); ++j) out[j] = (row[j] - mean_[j]) * scale;
  }
}

void Points::to_unit_length(const Run& run) {
  scale_.resize(floats_.rows());
  for_chunks(run, floats_.rows(), kGrain, [&](Index, Index first, Index last) {
    for (Index i = first; i < last; ++i) {
      double squares = 0;
      for (const float v : floats_[i]) squares += static_cast<double>(v) * v;
      scale_[i] = squares > 0 ? 1 / std::sqrt(squares) : 0;
      for (float& v : floats_[i]) v = static_cast<float>(v * scale_[i]);
    }
  });
}

void Points::find_equal_rows(const Run& run) {
  const Index n = floats_.rows();
  std::vector<std::uint64_t> hash(n);
  for_chunks(run, n, kGrain, [&](Index, Index first, Index last) {
    for (Index i = first; i < last; ++i) hash[i] = hash_of(floats_[i]);
  });
  std::vector<std::uint32_t> order(n);
  std::iota(order.begin(), order.end(), 0u);
  std::ranges::sort(order, [&](std::uint32_t a, std::uint32_t b) {
    if (hash[a] != hash[b]) return hash[a] < hash[b];
    const auto by_content = std::lexicographical_compare_three_way(floats_[a].begin(), floats_[a].end(),
                                                                   floats_[b].begin(), floats_[b].end());
    return by_content != 0 ? by_content < 0 : a < b;
  });
  point_.resize(n);  // the lowest equal row at first
  for (Index i = 0; i < n; ++i) {
    const bool equal = i > 0 && hash[order[i]] == hash[order[i - 1]] &&
                       std::ranges::equal(floats_[order[i]], floats_[order[i - 1]]);
    point_[order[i]] = equal ? point_[order[i - 1]] : order[i];
  }
  for (Index i = 0; i < n; ++i) {
    if (point_[i] == i) {
      point_[i] = static_cast<std::uint32_t>(lowest_.size());
      lowest_.push_back(static_cast<std::uint32_t>(i));
    } else {
      point_[i] = point_[point_[i]];
    }
  }
}

void Points::to_mean(const Run& run) {
  mean_ = column_means(source_, run);
  double largest = 0;
  for (Index p = 0; p < count(); ++p)
    for (Index j = 0; j < cols(); ++j) largest = std::max(largest, std::abs(floats_[p][j] - mean_[j]));
  unit_ = power_of_two_above(largest);
  for_chunks(run, count(), kGrain, [&](Index, Index first, Index last) {
    std::vector<double> point(cols());
    for (Index p = first; p < last; ++p) {
      read(p, point);
      std::ranges::transform(point, floats_[p].begin(), [](double v) { return static_cast<float>(v); });
    }
  });
}

}  // namespace shoal
