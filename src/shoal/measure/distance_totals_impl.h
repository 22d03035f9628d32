#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "shoal/core/metric.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"
#include "shoal/measure/members_impl.h"

namespace shoal {

/// What is done with a row's summed distances: totals[c] to all rows of cluster c; its own distance to itself
/// is 0. They may be overwritten.
using UseTotals = std::function<void(Index chunk, Index row, std::span<double> totals)>;

/// Calls use(chunk, row, totals) for every row that is not noise, in parallel by chunk, in a fixed order
/// within a chunk; chunks are below total_chunks(members).
/// cosine: from the clusters' sums, O(n k d). euclidean: from all pairs, O(n^2 d).
void for_distance_totals(const Rows& x, const Members& members, Metric metric, const Run& run,
                         std::string_view step, const UseTotals& use);
Index total_chunks(const Members& members);

}  // namespace shoal
