#pragma once

#include <string>
#include <vector>

#include "shoal/core/labels.h"

namespace shoal {

/// The labels of each row: any number of them, ascending, each once.
struct LabelSets {
  std::vector<std::vector<Label>> of;
  Index count = 0;  ///< labels are 0..count-1

  bool operator==(const LabelSets&) const = default;
};

/// Error(data) unless there is one set a row, each ascending within 0..count-1 (the first other one is
/// named).
void check_label_sets(const LabelSets& sets, Index rows);
/// How many rows have each label.
std::vector<Index> label_sizes(const LabelSets& sets);
/// The label of rows that have exactly one; kNoise for the others.
Labels single_labels(const LabelSets& sets);
/// Of each row the label of fewest rows, ties to the smaller; kNoise for rows without any.
Labels rarest_labels(const LabelSets& sets);
/// The sets of chosen rows.
LabelSets select_sets(const LabelSets& sets, const std::vector<Index>& rows);

}  // namespace shoal
