#include "shoal/explain/medoids.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"

namespace shoal {
namespace {

constexpr Index kGrain = 2048;

/// In eight sums, so that the compiler may use vectors of any width; added in a fixed order.
double dot(std::span<const float> a, std::span<const float> b) {
  double sum[8] = {};
  Index i = 0;
  for (; i + 8 <= a.size(); i += 8)
    for (Index j = 0; j < 8; ++j) sum[j] += static_cast<double>(a[i + j]) * b[i + j];
  for (; i < a.size(); ++i) sum[0] += static_cast<double>(a[i]) * b[i];
  return ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
}

void check(const Rows& x, const Labels& labels, const Matrix& centers) {
  const auto text = [](Index n) { return std::to_string(n); };
  if (labels.of.size() != x.rows())
    throw Error(Fault::data,
                "medoids: " + text(x.rows()) + " rows but " + text(labels.of.size()) + " labels");
  if (labels.count != centers.rows() || (labels.count > 0 && x.cols() != centers.cols()))
    throw Error(Fault::data, "medoids: " + text(labels.count) + " clusters of " + text(x.cols()) +
                                 " dims, but centers are " + text(centers.rows()) + " x " +
                                 text(centers.cols()));
  for (Index i = 0; i < labels.of.size(); ++i)
    if (labels.of[i] != kNoise && (labels.of[i] < 0 || static_cast<Index>(labels.of[i]) >= labels.count))
      throw Error(Fault::data, "medoids: row " + text(i) + " has label " + std::to_string(labels.of[i]) +
                                   ", there are " + text(labels.count) + " clusters");
}

double squared_distance(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (Index i = 0; i < a.size(); ++i)
    sum += (static_cast<double>(a[i]) - b[i]) * (static_cast<double>(a[i]) - b[i]);
  return sum;
}

/// How near each row is to the center of its cluster: its cosine, or minus the squared distance; lower than
/// any where there is none. Noise: unset.
std::vector<float> closeness(const Rows& x, const Labels& labels, const Matrix& centers, Metric metric,
                             const Run& run) {
  std::vector<float> out(x.rows());
  for_chunks(run, x.rows(), kGrain, [&](Index, Index first, Index last) {
    Matrix scratch;
    const MatrixView block = x.block(first, last - first, scratch);
    for (Index i = first; i < last; ++i) {
      if (labels.of[i] == kNoise) continue;
      const auto row = block[i - first];
      const auto center = centers[static_cast<Index>(labels.of[i])];
      // The center's own length is the same for all rows that are compared.
      const double near = metric == Metric::cosine ? dot(row, center) / std::sqrt(dot(row, row))
                                                   : -squared_distance(row, center);
      out[i] = std::isfinite(near) ? static_cast<float>(near) : std::numeric_limits<float>::lowest();
    }
  });
  return out;
}

/// Rows by cluster: those of cluster c are rows[starts[c]] to rows[starts[c + 1] - 1], ascending.
struct Members {
  std::vector<Index> rows, starts;
};

Members members_of(const Labels& labels) {
  Members m;
  m.starts.assign(labels.count + 1, 0);
  for (Label l : labels.of)
    if (l != kNoise) ++m.starts[static_cast<Index>(l) + 1];
  std::partial_sum(m.starts.begin(), m.starts.end(), m.starts.begin());
  m.rows.resize(m.starts.back());
  std::vector<Index> next(m.starts.begin(), m.starts.end());
  for (Index i = 0; i < labels.of.size(); ++i)
    if (labels.of[i] != kNoise) m.rows[next[static_cast<Index>(labels.of[i])]++] = i;
  return m;
}

bool same_vector(const Rows& x, Index a, Index b) {
  Matrix scratch_a, scratch_b;
  const auto row_a = x.block(a, 1, scratch_a)[0], row_b = x.block(b, 1, scratch_b)[0];
  return std::equal(row_a.begin(), row_a.end(), row_b.begin());
}

}  // namespace

std::vector<std::vector<Index>> medoids(const Rows& x, const Labels& labels, const Matrix& centers, Index n,
                                        const Run& run, Metric metric) {
  check(x, labels, centers);
  const std::vector<float> near = closeness(x, labels, centers, metric, run);
  Members members = members_of(labels);
  std::vector<std::vector<Index>> out(labels.count);
  for_chunks(run, labels.count, 1, [&](Index c, Index, Index) {
    const std::span<Index> rows(members.rows.data() + members.starts[c],
                                members.starts[c + 1] - members.starts[c]);
    std::sort(rows.begin(), rows.end(),
              [&](Index a, Index b) { return near[a] != near[b] ? near[a] > near[b] : a < b; });
    for (Index row : rows) {
      if (out[c].size() == n) break;
      const auto twin = [&](Index kept) { return near[kept] == near[row] && same_vector(x, kept, row); };
      if (std::none_of(out[c].begin(), out[c].end(), twin)) out[c].push_back(row);
    }
  });
  return out;
}

}  // namespace shoal
