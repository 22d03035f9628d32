#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shoal/cluster/linkage/dendrogram.h"
#include "shoal/cluster/selection/objection.h"
#include "shoal/cluster/selection/stability.h"
#include "shoal/core/names.h"
#include "shoal/measure/separation.h"

namespace shoal {

/// From min to max clusters, both included.
struct ClusterRange {
  Index min = 2, max = 2;

  bool operator==(const ClusterRange&) const = default;
};

/// What is tried if nobody says: 2 to 2 sqrt(rows), at most 200 and at most rows - 1.
/// Error(data) for fewer than 3 rows.
ClusterRange default_cluster_range(Index rows);

/// Error(argument) unless 2 <= min <= max <= rows.
void check_range(ClusterRange range, Index rows);

/// The measures of every cut of the dendrogram into range.min..range.max clusters, fewest first, in one pass
/// over the rows (judge_joins). Error(argument) unless 2 <= min <= max <= rows and the dendrogram is of x.
std::vector<Separation> judge_dendrogram(const Rows& x, const Dendrogram& dendrogram, ClusterRange range,
                                         const JudgeOptions& options = {}, const Run& run = {});

/// By what the number of clusters is chosen.
enum class Criterion : std::uint8_t {
  davies_bouldin,         ///< lowest
  davies_bouldin_cosine,  ///< lowest
  silhouette,             ///< highest
  calinski_harabasz,      ///< highest
  elbow,                  ///< where the inertia lies furthest below the chord from first to last
  stability               ///< highest mean adjusted Rand index over resamples
};
constexpr auto names_of(Criterion) {
  return std::array{"davies_bouldin", "davies_bouldin_cosine", "silhouette", "calinski_harabasz", "elbow",
                    "stability"};
}

/// What people are told of a criterion.
struct CriterionText {
  const char* title;   ///< "Davies-Bouldin"
  const char* phrase;  ///< in a sentence: "Davies-Bouldin index"
  const char* asks;    ///< what it measures: "how wide clusters are for the distance between them"
  bool low_is_good;
};
const CriterionText& text_of(Criterion c);

/// One number of clusters that was tried.
struct TriedK {
  Index n_clusters = 0;  ///< asked for; a method may find fewer: measures.n_clusters
  Separation measures;
  std::optional<Stability> stability;
};

/// What speaks against clusters, however their number was found: a cluster with more than half of the
/// clustered rows, a silhouette below 0.25, an adjusted Rand index over resamples below 0.6.
std::vector<Objection> doubts(const Separation& measures, const std::optional<Stability>& stability);
std::vector<Objection> doubts(const std::optional<Stability>& stability);  ///< of the last alone
/// The same of rows that are in no cluster: more than half of them.
std::vector<Objection> doubts_of_noise(Index noise, Index rows);

/// What one criterion would choose.
struct Pick {
  Criterion criterion = Criterion::davies_bouldin;
  Index n_clusters = 0;
  double value = 0;
};

/// The chosen number of clusters, and what can be said for and against it.
struct ChosenK {
  Index n_clusters = 0;
  Criterion criterion = Criterion::davies_bouldin;
  double value = 0;                    ///< of the criterion
  Index tried_min = 0, tried_max = 0;  ///< fewest and most clusters that were tried
  std::optional<Index> second;         ///< the next best number; empty if only one was tried
  double second_value = 0;
  std::string why;                 ///< one sentence, with the numbers
  std::vector<Objection> against;  ///< empty: nothing speaks against it
  std::vector<Pick> picks;         ///< every criterion that could be computed, in the order of the enum
};

/// The value of a criterion that looks at one number by itself: any but the elbow. Calinski-Harabasz is
/// infinite where the inertia is 0, Davies-Bouldin where two clusters have the same centre.
double criterion_value(Criterion c, const TriedK& tried);
/// That a number with `value` is chosen rather than a smaller one with `other`.
bool is_chosen_over(Criterion c, double value, double other);

/// The value of a criterion for each number tried. Of the elbow: how far the inertia lies below the chord
/// from the fewest to the most clusters, with both axes scaled to 0..1; needs three numbers. Error(argument)
/// if it was not computed for all of them.
std::vector<double> criterion_values(Criterion criterion, const std::vector<TriedK>& tried);

/// Chooses by the criterion; ties by the fewest clusters (of stability by the most: what never changes may be
/// divided further). `tried` is ascending in n_clusters.
/// What is held against the choice: a second best within 2%; criteria that choose otherwise; the best at an
/// end of the range; a cluster with more than half of the rows; a flat curve (the best within 5% of the
/// median; an elbow below 0.1); a silhouette below 0.25 (Kaufman, Rousseeuw 1990: no structure); stability
/// below 0.6. Error(argument) if nothing was tried, or not in ascending order, or the criterion was not
/// computed; Error(data) if the criterion has no finite value where low is good, as where all centres
/// coincide.
ChosenK choose_k(Criterion criterion, const std::vector<TriedK>& tried);

}  // namespace shoal
