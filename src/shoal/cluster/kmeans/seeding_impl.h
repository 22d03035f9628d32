#pragma once

#include <span>

#include "shoal/cluster/kmeans/kmeans_options.h"
#include "shoal/core/random.h"
#include "shoal/core/run.h"
#include "shoal/near/metric_rows_impl.h"

namespace shoal {

/// `n_clusters` distinct rows of positive weight (empty: all 1) to start from, as the metric has its rows.
/// k-means++ in batches: candidates come from the D^2 before the batch and are accepted with probability
/// new D^2 / old D^2, which is the same distribution with one pass over the rows a batch instead of one a
/// centroid. Of 2 + floor(log n_clusters) candidates a seed the one is taken that leaves the smallest sum of
/// w D^2, over all rows or, if they are more, over 8,192 of them, evenly drawn: enough to tell good from bad,
/// in less time than all rows would take. k-means||: each pass takes every row with probability
/// 2 k w D^2 / (sum of w D^2); each candidate then weighs as much as the rows nearest to it, and k-means++
/// draws from the candidates. More passes follow if they are too few. Error(data) if there are fewer distinct
/// rows. O(n k d); 4 to 8 bytes a row, and a copy of the rows that candidates are compared on.
Matrix seed_centers(const MetricRows& rows, Index n_clusters, Seed seed, const Run& run,
                    KMeansInit init = KMeansInit::kmeans_plus_plus, std::span<const float> weights = {});

}  // namespace shoal
