#include "shoal/near/centroids_impl.h"

#include <algorithm>
#include <string>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/linear/norms.h"

namespace shoal {

std::vector<double> label_sums(const MetricRows& rows, const Labels& labels, const Run& run) {
  constexpr Index kLeast = 1024, kParts = 16;
  const Index cols = rows.cols();
  return fold_chunks(
      run, rows.rows(), std::max(kLeast, chunk_count(rows.rows(), kParts)), std::vector<double>(),
      [&](Index first, Index last) {
        std::vector<double> sums(labels.count * cols), row(cols);
        RowScratch scratch;
        for (Index i = first; i < last; ++i) {
          if (labels.of[i] == kNoise) continue;
          rows.read(i, row, scratch);
          double* const sum = sums.data() + static_cast<Index>(labels.of[i]) * cols;
          for (Index j = 0; j < cols; ++j) sum[j] += row[j];
        }
        return sums;
      },
      [](std::vector<double>& total, std::vector<double>&& part) {
        if (total.empty()) return total.swap(part);
        for (Index i = 0; i < total.size(); ++i) total[i] += part[i];
      });
}

std::vector<double> label_sums(const Rows& x, Metric metric, const Labels& labels, const Run& run) {
  // A power of two changes no digit and keeps squares of large numbers in the range of float.
  ShiftScale frame;
  if (metric == Metric::euclidean) frame.scale = frame_within_one({x}, run).scale;
  std::vector<double> sums = label_sums(MetricRows(x, metric, frame, run), labels, run);
  for (double& v : sums) v /= frame.scale;
  return sums;
}

Matrix centroids(const Rows& x, Metric metric, const Labels& labels, const Run& run) {
  const std::vector<Index> sizes = label_sizes(labels);
  const std::vector<double> sums = label_sums(x, metric, labels, run);
  Matrix out(labels.count, x.cols());
  for (Index c = 0; c < labels.count; ++c) {
    require(sizes[c] > 0, Fault::data,
            "cluster " + std::to_string(c) + " of 0.." + std::to_string(labels.count - 1) +
                " has no rows; leave it out of the labels");
    for (Index j = 0; j < x.cols(); ++j)
      out[c][j] = static_cast<float>(sums[c * x.cols() + j] / static_cast<double>(sizes[c]));
  }
  if (metric == Metric::cosine) unit_rows(out.span());
  return out;
}

}  // namespace shoal
