#pragma once

#include <optional>
#include <vector>

#include "shoal/cluster/selection/choose.h"
#include "shoal/cluster/selection/methods.h"

namespace shoal {

/// How a number of clusters is looked for.
struct FitRangeOptions {
  std::optional<ClusterRange> range;  ///< absent: see numbers_to_try
  Criterion criterion = Criterion::silhouette;
  JudgeOptions judge;
  StabilityOptions stability;  ///< used by that criterion alone
};

/// The clusters in the number that was chosen.
struct FittedChoice {
  AnyClusterer fitted;
  TriedK judged;              ///< as judge_labels judges them; of a cut within rounding of what `tried` has
  std::vector<TriedK> tried;  ///< ascending
  ChosenK chosen;
};

/// The numbers that are tried, ascending: every one of `range`. Without it those of default_cluster_range:
/// every one for agglomerative, whose cuts come from one tree; for methods that are fitted anew for each
/// number at most 16, each about the same factor above the last. Errors as check_range and
/// default_cluster_range.
std::vector<Index> numbers_to_try(const MethodOptions& method, std::optional<ClusterRange> range, Index rows);

/// Tries a range of numbers with any method that takes_n_clusters, and chooses one: a fit for each number, of
/// which the best is kept as they come; agglomerative is fitted once and cut. Only the elbow, which needs the
/// last inertia to judge the first, fits its choice a second time. The range ends early where there are too
/// few distinct rows for more clusters, and a number for which the method finds a single cluster is passed
/// over; the choice says so. Error(argument) as choose_k and judge_labels; Error(data) if not even the first
/// number can be made, or if each gives a single cluster; errors of the method. Steps "numbers of clusters"
/// and "stability", or those of agglomerative.
FittedChoice fit_range(const Rows& x, MethodOptions method, const FitRangeOptions& options = {},
                       const Run& run = {});

/// With default_clusters(rows) clusters, or fewer where too few rows are distinct: `method` has the number
/// then. Errors of the method.
AnyClusterer fit_default_number(const Rows& x, MethodOptions& method, const Run& run = {});

/// Stability of the labels that `method` gave (measure_stability). A resample with fewer distinct rows than
/// clusters is given as many as it can have.
Stability measure_stability(const Rows& x, const Labels& labels, const MethodOptions& method,
                            const StabilityOptions& options = {}, const Run& run = {});

}  // namespace shoal
