#pragma once

#include <vector>

#include "shoal/core/labels.h"
#include "shoal/core/matrix.h"
#include "shoal/core/metric.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"

namespace shoal {

/// The most typical rows of each cluster: the `n` nearest (by the metric) to its center, nearest first, ties
/// by the smaller row; of rows with identical vectors only the first. Fewer if the cluster has fewer. x: rows
/// x dims; centers: labels.count x dims; neither needs length 1. A row of zeros, or with a NaN, comes last.
/// Error(data) if shapes and labels do not agree. O(rows dims + rows log rows); 12 bytes a row.
std::vector<std::vector<Index>> medoids(const Rows& x, const Labels& labels, const Matrix& centers, Index n,
                                        const Run& run, Metric metric = Metric::cosine);

}  // namespace shoal
