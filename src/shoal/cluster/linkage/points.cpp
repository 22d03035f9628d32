#include <algorithm>
#include <bit>
#include <numeric>

#include "shoal/cluster/linkage/points_impl.h"
#include "shoal/core/chunks.h"

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

}  // namespace

Points::Points(const Rows& x, Metric metric, const Run& run)
    : rows_(x, metric, metric == Metric::euclidean ? frame_within_one({x}, run) : ShiftScale{}, run),
      // Euclidean: rows are equal if the caller's are, not if what the frame leaves of them is.
      floats_(metric == Metric::euclidean ? x.to_matrix() : Matrix(x.rows(), x.cols())) {
  const auto fill = [&](Index count, const auto& row_of) {
    for_chunks(run, count, kGrain, [&](Index, Index first, Index last) {
      RowScratch scratch;
      std::vector<double> row(cols());
      for (Index i = first; i < last; ++i) {
        rows_.read(row_of(i), row, scratch);
        std::ranges::transform(row, floats_[i].begin(), [](double v) { return static_cast<float>(v); });
      }
    });
  };
  if (metric == Metric::cosine) fill(x.rows(), [](Index i) { return i; });
  find_equal_rows(run);
  fill(count(), [&](Index p) { return lowest_[p]; });
}

void Points::read(Index point, std::span<double> out) const {
  RowScratch scratch;
  rows_.read(lowest_[point], out, scratch);
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

}  // namespace shoal
