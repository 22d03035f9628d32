#include "shoal/core/labels.h"

#include <string>

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

std::vector<Index> label_sizes(const Labels& labels) {
  std::vector<Index> sizes(labels.count);
  for (const Label label : labels.of)
    if (label != kNoise) ++sizes[static_cast<Index>(label)];
  return sizes;
}

}  // namespace shoal
