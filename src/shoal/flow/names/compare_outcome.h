#pragma once

#include <string>
#include <vector>

#include "shoal/explain/association.h"
#include "shoal/store/collection/collection.h"

namespace shoal {

/// One of the user's columns, whole, of a collection that has clusters. Error(argument) listing the columns
/// if there is none of that name; Error(data) if there are no clusters yet.
Texts compared_column(const Collection& collection, const std::string& column);

/// What the clusters of a collection have to do with one of the user's columns; see associate.
/// Error(argument) listing the columns if there is none of that name; Error(data) if there are no clusters
/// yet, or naming the column if its values cannot be used (read_outcome). Reads the whole column into memory.
Association compare_outcome(const Collection& collection, const std::string& column,
                            const OutcomeOptions& options, Correction correction);

/// The tests as CSV with a header, all digits, empty where nothing can be said: cluster, cluster_name,
/// category (unless numbers), rows, then rate, odds ratio or mean, difference, effect sizes, p, corrected_p.
std::string association_csv(const Association& found, const std::vector<ClusterRecord>& clusters);

}  // namespace shoal
