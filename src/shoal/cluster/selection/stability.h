#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "shoal/cluster/linkage/dendrogram.h"
#include "shoal/core/fields.h"
#include "shoal/core/labels.h"
#include "shoal/core/random.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"

namespace shoal {

/// Any method: n_clusters groups of these rows, by this seed.
using ClusterMethod = std::function<Labels(const Rows& x, Index n_clusters, Seed seed)>;
/// Any method that joins: the whole history of these rows.
using JoinMethod = std::function<Dendrogram(const Rows& x)>;

enum class Resample : std::uint8_t {
  part,      ///< a share of the rows, each at most once
  bootstrap  ///< as many rows as there are, drawn with replacement: about 63% of them occur
};
constexpr auto names_of(Resample) { return std::array{"part", "bootstrap"}; }

struct StabilityOptions {
  Index resamples = 20;  ///< 2 to 10,000
  Resample resample = Resample::part;
  double share = 0.8;  ///< of the rows, for Resample::part; above 0, below 1
  Seed seed{42};
};
template <class V>
void fields(StabilityOptions& o, V&& visit) {
  visit("resamples", o.resamples, "random parts of the rows that are clustered too", between(2, 10000));
  visit("resample", o.resample, "how they are drawn");
  visit("share", o.share, "share of the rows in a part", above(0).below(1));
  visit("seed", o.seed, "start of all randomness");
}

/// How far a labelling comes back when the method is run anew on resampled rows. Compared on the rows that a
/// resample holds. Noise is a label of its own for `adjusted_rand`, no cluster for `jaccard`.
struct Stability {
  Index n_clusters = 0;               ///< of the labelling that was tried
  std::vector<double> adjusted_rand;  ///< of each resample
  double mean = 0;                    ///< of adjusted_rand: 1 always the same, 0 as good as chance
  double spread = 0;                  ///< its standard deviation
  /// Hennig 2007: for each cluster the Jaccard coefficient with the most similar cluster of a resample (its
  /// counterpart), mean over resamples: see stability_levels. NaN for a cluster that no resample held.
  std::vector<double> jaccard;
  /// For each row the share of the resamples holding it in which it lay in its cluster's counterpart (for
  /// noise: was noise again). NaN if no resample held it.
  std::vector<float> confidence;
};

/// How far a cluster can be trusted by its Jaccard coefficient (Hennig 2007).
struct StabilityLevel {
  double from;  ///< the least coefficient
  const char* name;
};
/// Highest first; the last is from 0.
std::span<const StabilityLevel> stability_levels();
/// The highest level that a coefficient reaches; null for NaN.
const StabilityLevel* stability_level(double jaccard);

/// Runs `method` on every resample and compares with `labels`, which it gave on all rows. The method is
/// called once a resample, in one thread, with labels.count clusters and a seed of its own. Memory besides
/// the method's: 12 bytes a row. Error(argument) on an option out of range, Error(data) for labels that do
/// not fit; what the method throws goes through. Progress as step "stability".
Stability measure_stability(const Rows& x, const Labels& labels, const ClusterMethod& method,
                            const StabilityOptions& options = {}, const Run& run = {});

/// The same for several cuts of one dendrogram of x, which a resample is joined for only once. 8 bytes a row
/// and cut.
std::vector<Stability> measure_stability(const Rows& x, const std::vector<Labels>& cuts,
                                         const JoinMethod& method, const StabilityOptions& options = {},
                                         const Run& run = {});

}  // namespace shoal
