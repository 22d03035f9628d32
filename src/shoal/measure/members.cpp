#include "shoal/measure/members_impl.h"

#include <numeric>
#include <string>

#include "shoal/core/error.h"

namespace shoal {

Members::Members(const Labels& labels, Index n) : number(labels.count, kNoise) {
  check_labels(labels, n);
  CompactLabels own = compact_labels(labels);
  sizes = label_sizes(own.labels);
  rows = std::accumulate(sizes.begin(), sizes.end(), Index{0});
  for (Index c = 0; c < own.original.size(); ++c)
    number[static_cast<Index>(own.original[c])] = static_cast<Label>(c);
  compact = std::move(own.labels);
  if (clusters() < 2)
    throw Error(Fault::data, "clusters with rows: " + std::to_string(clusters()) +
                                 "; to say how far clusters are apart takes at least 2");
}

}  // namespace shoal
