#include "shoal/near/centroids_impl.h"

#include <algorithm>
#include <string>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/linear/norms.h"

namespace shoal {

namespace {

/// `Read`: made anew for each thread, fills a row in double.
template <class Read>
std::vector<double> sums_of(Index rows, Index cols, const Labels& labels, const Run& run,
                            const Read& reader) {
  constexpr Index kLeast = 1024, kParts = 16;
  return fold_chunks(
      run, rows, std::max(kLeast, chunk_count(rows, kParts)), std::vector<double>(),
      [&](Index first, Index last) {
        std::vector<double> sums(labels.count * cols), row(cols);
        Read read = reader;
        for (Index i = first; i < last; ++i) {
          if (labels.of[i] == kNoise) continue;
          read(i, std::span(row));
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

}  // namespace

std::vector<double> label_sums(const MetricRows& rows, const Labels& labels, const Run& run) {
  return sums_of(rows.rows(), rows.cols(), labels, run,
                 [&rows, scratch = RowScratch()](Index i, std::span<double> row) mutable {
                   rows.read(i, row, scratch);
                 });
}

std::vector<double> label_sums(const Rows& x, Metric metric, const Labels& labels, const Run& run) {
  if (metric == Metric::cosine) return label_sums(MetricRows(x, metric, run), labels, run);
  check_finite(x, run);
  return sums_of(x.rows(), x.cols(), labels, run,
                 [&x, scratch = Matrix()](Index i, std::span<double> row) mutable {
                   std::ranges::copy(x.block(i, 1, scratch)[0], row.begin());
                 });
}

Matrix centroids(const Rows& x, Metric metric, const Labels& labels, const Run& run) {
  const std::vector<Index> sizes = label_sizes(labels);
  const std::vector<double> sums = label_sums(x, metric, labels, run);
  Matrix out(labels.count, x.cols());
  for (Index c = 0; c < labels.count; ++c) {
    if (sizes[c] == 0)
      throw Error(Fault::data, "cluster " + std::to_string(c) + " of 0.." + std::to_string(labels.count - 1) +
                                   " has no rows; leave it out of the labels");
    for (Index j = 0; j < x.cols(); ++j)
      out[c][j] = static_cast<float>(sums[c * x.cols() + j] / static_cast<double>(sizes[c]));
  }
  if (metric == Metric::cosine) unit_rows(out.span());
  return out;
}

}  // namespace shoal
