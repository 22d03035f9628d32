#pragma once

#include <vector>

#include "shoal/core/labels.h"
#include "shoal/core/matrix.h"

namespace shoal {

/// Joins clusters into `n_groups` groups of clusters, the most similar pair first. Similarity of two groups:
/// the mean cosine over all pairs of their rows, each row standing at its centroid (average linkage weighted
/// by sizes). centers: clusters x d, of any length; sizes: rows of each cluster (an empty one counts as one
/// row). Ties by the lowest ids. Labels are numbered by the smallest cluster in each group.
/// Error(argument) unless 1 <= n_groups <= clusters and sizes has one entry a cluster.
/// O(clusters^2 d); 8 clusters^2 bytes: meant for at most a few thousand.
Labels group_centers(const Matrix& centers, const std::vector<Index>& sizes, Index n_groups);

/// A simple rule for how many groups so many clusters are joined into: about their square root, from 3 to 20;
/// 1 for at most 3 clusters.
Index default_groups(Index n_clusters);

}  // namespace shoal
