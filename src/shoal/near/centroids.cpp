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

Matrix centroids(const MetricRows& rows, const Labels& labels, const Run& run) {
  const std::vector<Index> sizes = label_sizes(labels);
  const std::vector<double> sums = label_sums(rows, labels, run);
  Matrix out(labels.count, rows.cols());
  for (Index c = 0; c < labels.count; ++c) {
    require(sizes[c] > 0, Fault::data,
            "cluster " + std::to_string(c) + " of 0.." + std::to_string(labels.count - 1) +
                " has no rows; leave it out of the labels");
    for (Index j = 0; j < rows.cols(); ++j)
      out[c][j] = static_cast<float>(sums[c * rows.cols() + j] / static_cast<double>(sizes[c]));
  }
  if (rows.metric() == Metric::cosine) unit_rows(out.span());
  return out;
}

}  // namespace shoal
