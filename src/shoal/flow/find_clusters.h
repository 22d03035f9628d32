#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shoal/classify/split.h"
#include "shoal/cluster/selection/fit_range.h"
#include "shoal/core/fields.h"
#include "shoal/core/run.h"

namespace shoal {

/// What is asked of a method of clustering.
struct ClusteringOptions {
  MethodOptions method;             ///< its own n_clusters and seed are not used
  std::optional<Index> n_clusters;  ///< absent, and nothing to choose: default_clusters(rows)
  bool choose = false;              ///< the number by `criterion`
  Criterion criterion = Criterion::silhouette;
  std::optional<ClusterRange> range;  ///< of numbers that are tried; absent: see numbers_to_try
  Index resamples = 0;  ///< for how stable the clusters are; 0: not asked (20 for that criterion)
};
template <class V>
void fields(ClusteringOptions& o, V&& visit) {
  visit("criterion", o.criterion, "what chooses the number");
  visit("resamples", o.resamples,
        "cluster so many random parts of the rows too, to say how stable the clusters are; 0: do not",
        between(0, 10000));
}
/// Whatever can be known to be wrong before there are rows. Error(argument).
void check_together(const ClusteringOptions& o);

/// How clusters were found, and how good they are by measures without truth.
struct ClusterFindings {
  MethodOptions method;                ///< as it was run in the end
  Index n_clusters = 0;                ///< that have rows
  Index noise = 0;                     ///< rows in no cluster
  std::optional<Separation> measures;  ///< absent for fewer than two clusters
  std::vector<TriedK> tried;
  std::optional<ChosenK> chosen;
  std::string why;                     ///< there are so many: one sentence, chosen's if there is one
  std::vector<Objection> against;      ///< chosen's, or doubts; and much noise
  std::optional<Stability> stability;  ///< jaccard: of the clusters that have rows
  std::optional<double> placement;     ///< placement_of
};

struct Clustering {
  AnyClusterer fitted;
  CompactLabels clusters;  ///< those that have rows, and the method's number of each
  ClusterFindings findings;
};

/// Whatever can be known to be wrong with the options before the work. Error(argument) naming the option;
/// Error(data) if there are too few rows to choose a number for.
void check_clustering(const ClusteringOptions& options, Index rows);

/// All that the result depends on besides the rows.
std::vector<Field> list_clustering(const ClusteringOptions& options, Index rows, Seed seed);

/// Runs the method on x, by itself or by fit_range, and judges what it finds. The
/// silhouette is by the method's metric; the Euclidean one, O(n^2), is left out above 20,000 rows unless it
/// is the criterion. Errors as check_clustering, and those of the method.
Clustering find_clusters(const Rows& x, const ClusteringOptions& options, Seed seed, const Run& run);

/// The method that is saved in `file`, without what it found. Error(format) if it is none.
MethodOptions saved_method(const std::filesystem::path& file);

}  // namespace shoal
