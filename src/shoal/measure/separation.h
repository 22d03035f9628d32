#pragma once

#include <optional>
#include <vector>

#include "shoal/core/labels.h"
#include "shoal/core/metric.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"

namespace shoal {

/// How compact the clusters of one labelling are, how far apart, and how even. Rows of noise and clusters
/// without rows are left out of all of it. All measures but the silhouette need only the clusters' sums and
/// are cheap. Euclidean ones are of the rows as they are given: equal to scikit-learn's on the same numbers.
struct Separation {
  Index n_clusters = 0;  ///< clusters that have rows
  Index rows = 0;        ///< rows that are not noise
  /// Mean silhouette by the metric asked for, -1..1: high is good. Empty if not asked for.
  std::optional<double> silhouette;
  /// Davies, Bouldin 1979, Euclidean, with the mean distance as the spread of a cluster (their q = 1, p = 2):
  /// 0 or more, low is good. Infinite, the worst, if two clusters have the same centre (to 12 digits),
  /// however narrow they are; scikit-learn does not compare such clusters, so that they look good there.
  double davies_bouldin = 0;
  /// The same with cosine distances: of rows to the direction of their cluster's sum of unit rows, and of
  /// these directions to each other. No published number: compare it with itself only.
  double davies_bouldin_cosine = 0;
  /// Calinski, Harabasz 1974: (between / (k - 1)) / (within / (n - k)), high is good. 1 if `inertia` is 0, as
  /// in scikit-learn.
  double calinski_harabasz = 0;
  double inertia = 0;  ///< sum of the squared Euclidean distances of rows to the mean of their cluster
  Index smallest = 0, largest = 0;  ///< rows of the smallest and the largest cluster
  double balance = 0;  ///< entropy of the sizes by log n_clusters: 1 all equal, near 0 one holds nearly all
};

struct JudgeOptions {
  Metric metric = Metric::cosine;  ///< of the silhouette
  bool silhouette = true;          ///< under Euclidean it takes all n^2 distances; all else takes O(n d)
};

/// The measures of one labelling. Exact, in double but for the products of a Euclidean silhouette, which are
/// float32; the same bits for any number of threads. Error(data) unless labels fit the rows,
/// for NaN and infinities, and for fewer than two clusters with rows.
Separation judge_labels(const Rows& x, const Labels& labels, const JudgeOptions& options = {},
                        const Run& run = {});

/// All rows of cluster `from` go to cluster `into`.
struct Join {
  Label into = 0, from = 0;
};

/// The measures of `labels`, then those after each of the joins, in one pass over the rows: joins.size() + 1
/// of them, equal to judge_labels of each within rounding (1e-9). Distances to the first clusters are
/// computed once and added up as clusters join. Cosine: O(n k d); euclidean: O(n^2 d) once. Errors as
/// judge_labels, also if a join names a cluster that has no rows (left), or if fewer than two clusters would
/// remain.
std::vector<Separation> judge_joins(const Rows& x, const Labels& labels, const std::vector<Join>& joins,
                                    const JudgeOptions& options = {}, const Run& run = {});

}  // namespace shoal
