#pragma once

#include "shoal/core/labels.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"

namespace shoal {

/// How far apart two rows are.
enum class Metric : std::uint8_t { cosine, euclidean };
const char* name_of(Metric m);

/// The k nearest other rows of every row, exactly, self excluded. cosine: distance 1 - cos, zero rows are at
/// distance 1 from all. O(n^2 d / 2): products are symmetric and done once. Blocked; memory O(n k).
/// Error(argument) unless 1 <= k < rows.
Neighbours nearest_neighbours(const Rows& x, Index k, Metric metric, const Run& run);

/// The k nearest rows of `x` to each query, best first.
Neighbours nearest(const Rows& x, const Rows& queries, Index k, Metric metric, const Run& run);

}  // namespace shoal
