#pragma once

#include <vector>

#include "shoal/core/labels.h"
#include "shoal/core/metric.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"

namespace shoal {

/// How much nearer rows are to their own cluster than to the next (Rousseeuw 1987): of a row (b - a) /
/// max(a, b), with a its mean distance to the other rows of its cluster and b the smallest mean distance to
/// the rows of another. From -1 to 1; 0 for a row that is alone in its cluster.
struct Silhouette {
  double mean = 0;  ///< over all labelled rows
  std::vector<double>
      of_cluster;              ///< mean over the rows of each of labels.count clusters; NaN if it has none
  std::vector<double> of_row;  ///< NaN for rows of noise
};

/// The exact silhouette, in double, the same bits for any number of threads. Rows of noise are left out
/// altogether. Equal to scikit-learn's on the other rows.
/// cosine: distances are 1 - cos, 1 to a row of zeros; the mean distance of x to cluster C is 1 - x.S_C / |C|
/// with S_C the sum of its unit rows, so it takes O(n k d) and 8 k d bytes a few times over.
/// euclidean: all n^2 distances by blocked products in float32, near ones again without cancellation:
/// O(n^2 d), 8 k numbers a row of some blocks.
/// Error(data) unless labels fit the rows, for NaN and infinities, and for fewer than two
/// clusters with rows. Progress as step "silhouette".
Silhouette silhouette(const Rows& x, const Labels& labels, Metric metric, const Run& run = {});

}  // namespace shoal
