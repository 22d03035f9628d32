#pragma once

#include <cstdint>
#include <vector>

#include "shoal/core/matrix.h"

namespace shoal {

using Label = std::int32_t;  ///< a group or class: 0..count-1, or kNoise
inline constexpr Label kNoise = -1;

/// A label for each row.
struct Labels {
  std::vector<Label> of;
  Index count = 0;  ///< labels are 0..count-1, or kNoise

  bool operator==(const Labels&) const = default;
};

/// Error(data) unless there is one label a row, each 0..count-1 or kNoise (the first other one is named).
void check_labels(const Labels& labels, Index rows);

/// Labels without gaps: classes that have rows, renumbered in order.
struct CompactLabels {
  Labels labels;
  std::vector<Label> original;  ///< of each new label
};
CompactLabels compact_labels(const Labels& labels);

/// How many rows each label has, kNoise left out. Labels as check_labels wants them.
std::vector<Index> label_sizes(const Labels& labels);

/// The k nearest of each row, nearest first, ties by the smaller id: entry j of row i is at i * k + j.
struct Neighbours {
  Index k = 0;
  std::vector<std::uint32_t> id;
  std::vector<float> distance;

  Index rows() const { return k == 0 ? 0 : id.size() / k; }
};

}  // namespace shoal
