#include "shoal/classify/label_sets.h"

#include "shoal/core/error.h"

namespace shoal {

void check_label_sets(const LabelSets& sets, Index rows) {
  if (sets.of.size() != rows)
    throw Error(Fault::data, "there are labels for " + std::to_string(sets.of.size()) + " rows, of " +
                                 std::to_string(rows));
  for (Index i = 0; i < rows; ++i) {
    Label before = -1;
    for (const Label label : sets.of[i]) {
      if (label <= before || static_cast<Index>(label) >= sets.count)
        throw Error(Fault::data, "row " + std::to_string(i) + " has label " + std::to_string(label) +
                                     "; allowed: 0.." + std::to_string(sets.count) +
                                     " without the last, ascending, each once");
      before = label;
    }
  }
}

std::vector<Index> label_sizes(const LabelSets& sets) {
  std::vector<Index> sizes(sets.count);
  for (const auto& set : sets.of)
    for (const Label label : set) ++sizes[static_cast<Index>(label)];
  return sizes;
}

Labels single_labels(const LabelSets& sets) {
  Labels out{{}, sets.count};
  for (const auto& set : sets.of) out.of.push_back(set.size() == 1 ? set.front() : kNoise);
  return out;
}

Labels rarest_labels(const LabelSets& sets) {
  const std::vector<Index> sizes = label_sizes(sets);
  Labels out{{}, sets.count};
  for (const auto& set : sets.of) {
    Label rarest = kNoise;
    for (const Label label : set)
      if (rarest == kNoise || sizes[static_cast<Index>(label)] < sizes[static_cast<Index>(rarest)])
        rarest = label;
    out.of.push_back(rarest);
  }
  return out;
}

LabelSets select_sets(const LabelSets& sets, const std::vector<Index>& rows) {
  LabelSets out{{}, sets.count};
  for (const Index i : rows) out.of.push_back(sets.of[i]);
  return out;
}

}  // namespace shoal
