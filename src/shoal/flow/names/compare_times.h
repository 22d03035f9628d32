#pragma once

#include <string>
#include <vector>

#include "shoal/explain/over_time.h"
#include "shoal/store/collection/collection.h"

namespace shoal {

/// How the clusters of a collection change over time, by one of the user's columns; see over_time.
/// Error(argument) listing the columns if there is none of that name; Error(data) if there are no clusters
/// yet, or naming the column if it holds no times.
OverTime compare_times(const Collection& collection, const std::string& column,
                       const OverTimeOptions& options, Correction correction);

/// A line for each cluster and period: cluster, cluster_name, period, rows, share (of the period's rows that
/// are in a cluster; empty where there are none).
std::string over_time_csv(const OverTime& found, const std::vector<ClusterRecord>& clusters);
/// The shares of at most 12 clusters over time, those with the strongest trends first.
std::string over_time_svg(const OverTime& found, const std::vector<ClusterRecord>& clusters,
                          const std::string& column);

}  // namespace shoal
