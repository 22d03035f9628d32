#include <algorithm>
#include <cmath>
#include <string>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/linear/norms.h"
#include "shoal/measure/members_impl.h"

namespace shoal {

Members::Members(const Rows& x, const Labels& labels, const Run& run)
    : of(x.rows(), kNoise), number(labels.count, kNoise) {
  if (labels.of.size() != x.rows())
    throw Error(Fault::argument, "there are " + std::to_string(labels.of.size()) + " labels for " +
                                     std::to_string(x.rows()) + " rows");
  std::vector<Index> count(labels.count);
  for (Index i = 0; i < x.rows(); ++i) {
    const Label label = labels.of[i];
    if (label == kNoise) continue;
    if (label < 0 || static_cast<Index>(label) >= labels.count)
      throw Error(Fault::argument,
                  "row " + std::to_string(i) + " has label " + std::to_string(label) + "; allowed: 0.." +
                      std::to_string(static_cast<std::int64_t>(labels.count) - 1) + " and -1 for noise");
    ++count[label];
    ++rows;
  }
  for (Index c = 0; c < labels.count; ++c)
    if (count[c] > 0) {
      number[c] = static_cast<Label>(sizes.size());
      sizes.push_back(count[c]);
    }
  if (sizes.size() < 2)
    throw Error(Fault::data, "clusters with rows: " + std::to_string(sizes.size()) +
                                 "; to say how far clusters are apart takes at least 2");
  for (Index i = 0; i < x.rows(); ++i)
    if (labels.of[i] != kNoise) of[i] = number[labels.of[i]];
  check_finite(x, run);
}

void unit_row(std::span<const float> row, std::span<double> unit) {
  double squares = 0;
  for (const float v : row) squares += static_cast<double>(v) * v;
  const double scale = squares == 0 ? 0 : 1 / std::sqrt(squares);
  for (Index j = 0; j < row.size(); ++j) unit[j] = row[j] * scale;
}

std::vector<double> cluster_sums(const Rows& x, const Members& members, bool unit, const Run& run) {
  constexpr Index kBlock = 1024;
  const Index cols = x.cols();
  return fold_chunks(
      run, x.rows(), std::max(kBlock, chunk_count(x.rows(), 16)), std::vector<double>(),
      [&](Index first, Index last) {
        std::vector<double> sums(members.clusters() * cols), row(cols);
        Matrix scratch;
        for (Index at = first; at < last; at += kBlock) {
          const MatrixView block = x.block(at, std::min(kBlock, last - at), scratch);
          for (Index r = 0; r < block.rows; ++r) {
            const Label c = members.of[at + r];
            if (c == kNoise) continue;
            if (unit)
              unit_row(block[r], row);
            else
              std::ranges::copy(block[r], row.begin());
            double* sum = sums.data() + static_cast<Index>(c) * cols;
            for (Index j = 0; j < cols; ++j) sum[j] += row[j];
          }
        }
        return sums;
      },
      [](std::vector<double>& total, std::vector<double>&& part) {
        if (total.empty()) return total.swap(part);
        for (Index i = 0; i < total.size(); ++i) total[i] += part[i];
      });
}

}  // namespace shoal
