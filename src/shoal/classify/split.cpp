#include "shoal/classify/split.h"

#include <algorithm>
#include <string>
#include <utility>

#include "shoal/core/error.h"

namespace shoal {

void check_labels(const Labels& labels, Index rows) {
  if (labels.of.size() != rows)
    throw Error(Fault::data, "there are " + std::to_string(labels.of.size()) + " labels for " +
                                 std::to_string(rows) + " rows; there must be one a row");
  for (Index i = 0; i < rows; ++i) {
    const Label label = labels.of[i];
    if (label == kNoise || (label >= 0 && static_cast<Index>(label) < labels.count)) continue;
    throw Error(Fault::data, "the label of row " + std::to_string(i) + " is " + std::to_string(label) +
                                 "; allowed: 0.." + std::to_string(labels.count) +
                                 " without the last, or -1 for none");
  }
}

CompactLabels compact_labels(const Labels& labels) {
  std::vector<Label> renumbered(labels.count, kNoise);
  for (const Label label : labels.of)
    if (label != kNoise) renumbered[static_cast<Index>(label)] = 0;
  CompactLabels out;
  for (Index c = 0; c < labels.count; ++c) {
    if (renumbered[c] == kNoise) continue;
    renumbered[c] = static_cast<Label>(out.original.size());
    out.original.push_back(static_cast<Label>(c));
  }
  out.labels.count = out.original.size();
  for (const Label label : labels.of)
    out.labels.of.push_back(label == kNoise ? kNoise : renumbered[static_cast<Index>(label)]);
  return out;
}

std::vector<std::uint32_t> stratified_folds(const Labels& labels, Index n_folds, Seed seed) {
  const Index rows = labels.of.size();
  check_labels(labels, rows);
  if (n_folds < 2 || n_folds > rows)
    throw Error(Fault::argument, "n_folds is " + std::to_string(n_folds) + "; allowed: 2.." +
                                     std::to_string(rows) + ", the number of rows");
  const Random random(seed);
  std::vector<std::vector<std::pair<std::uint64_t, Index>>> members(labels.count + 1);  // the first: kNoise
  for (Index i = 0; i < rows; ++i)
    members[static_cast<Index>(labels.of[i] + 1)].emplace_back(random.bits(i), i);
  std::vector<std::uint32_t> folds(rows);
  Index dealt = 0;  // goes on from class to class, so that folds are of one size
  for (auto& of_class : members) {
    std::ranges::sort(of_class);
    for (const auto& [draw, row] : of_class) folds[row] = static_cast<std::uint32_t>(dealt++ % n_folds);
  }
  return folds;
}

Rows select_rows(const Rows& x, std::vector<Index> chosen) {
  for (const Index row : chosen)
    if (row >= x.rows())
      throw Error(Fault::argument,
                  "row " + std::to_string(row) + " of " + std::to_string(x.rows()) + " chosen");
  const Index rows = chosen.size();
  const auto read = [x, chosen = std::move(chosen)](Index first, Index count, Matrix& scratch) -> MatrixView {
    if (scratch.rows() < count || scratch.cols() != x.cols()) scratch = Matrix(count, x.cols());
    Matrix converted;
    for (Index r = 0; r < count; ++r)
      std::ranges::copy(x.block(chosen[first + r], 1, converted)[0], scratch[r].begin());
    return scratch.view().slice(0, count);
  };
  return Rows(rows, x.cols(), x.dtype(), read, x.space());
}

}  // namespace shoal
