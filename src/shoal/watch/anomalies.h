#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "shoal/core/fields.h"
#include "shoal/core/labels.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"

namespace shoal {

/// Ways to say how strange a row is among others; the larger the stranger.
enum class AnomalyScore : std::uint8_t {
  knn_lof,  ///< mean of the ranks by knn and lof, 0..1
  knn,      ///< mean cosine distance to the nearest neighbours
  lof,      ///< local outlier factor (Breunig et al. 2000): how much sparser it lies than its neighbours do
  mahalanobis,     ///< squared distance from the mean in the shrunk covariance of all rows
  reconstruction,  ///< squared distance from the space of the leading principal components
  cluster          ///< distance to the own cluster's centroid, as a multiple of the median there
};
constexpr auto names_of(AnomalyScore) {
  return std::array{"knn-lof", "knn", "lof", "mahalanobis", "reconstruction", "cluster"};
}
inline constexpr Index kAnomalyScores = 6;

struct AnomalyOptions {
  Index n_neighbors = 10;    ///< of knn
  Index lof_neighbors = 50;  ///< of lof
};
template <class V>
void fields(AnomalyOptions& o, V&& visit) {
  visit("n_neighbors", o.n_neighbors,
        "neighbours whose mean distance counts; fewer where there are fewer rows", between(1, 1000));
  visit("lof_neighbors", o.lof_neighbors, "neighbours of the local outlier factor", between(1, 1000));
}

/// How strange rows are, by each score. Rows are compared by direction (cosine); a row of zeros is far from
/// all.
class Anomalies {
 public:
  /// clusters: one label a row, or empty: then the score `cluster` is of one cluster of all rows. Rows of no
  /// cluster are compared with the nearest centroid. O(rows^2 d) products; 8 bytes x rows x lof_neighbors.
  /// Steps "neighbours", "score". Error(data) for fewer than 3 rows or rows that are not finite;
  /// Error(argument) on an option out of range.
  static Anomalies fit(const Rows& x, const Labels& clusters, const AnomalyOptions& options, const Run& run);
  Anomalies(Anomalies&&) noexcept;
  ~Anomalies();

  /// Of each row.
  const std::vector<double>& scores(AnomalyScore score) const&;
  std::vector<double> scores(AnomalyScore score) const&& = delete;
  /// Nearest first; `k()` of them a row.
  const Neighbours& neighbours() const&;
  const Neighbours& neighbours() const&& = delete;
  /// Share of rows that are less strange by that score, 0..1; of equal ones half.
  std::vector<double> percentiles(AnomalyScore score) const;

  /// Scores of other rows that are planted among those of the fit all at once, and of the fit's rows beside
  /// them: first those of the fit, then the others. The fit's rows keep their scores, as if the few others
  /// were not there, but for the ranks of knn_lof, which are of both together.
  /// Of each score, in their order.
  std::vector<std::vector<double>> all_scores_with(const Rows& others, const Run& run) const;

 private:
  struct State;
  explicit Anomalies(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Average precision of finding the rows at the end (`planted` of them) by score: 1 at best, their share by
/// chance. Ties count as their mean. NaN without any.
double average_precision(const std::vector<double>& scores, Index planted);

}  // namespace shoal
