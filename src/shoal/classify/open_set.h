#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "shoal/classify/calibration.h"
#include "shoal/core/fields.h"
#include "shoal/core/labels.h"
#include "shoal/core/matrix.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"

namespace shoal {

class ArchiveWriter;
class ArchiveReader;

/// How far a row is known. Each is larger for rows that are more like those of the labels.
enum class OpenSetScore : std::uint8_t {
  sum,          ///< mahalanobis, nearest and energy, each standardised on held-out rows, added
  mahalanobis,  ///< relative Mahalanobis (Ren et al., 2021): squared distance to the mean of all rows less
                ///< that to the nearest label's mean
  nearest,      ///< cosine to the nearest training row
  energy,    ///< log of the sum of exp of the logits (Liu et al., NeurIPS 2020); of several labels a row the
             ///< sum of log(1 + exp) (Wang et al., NeurIPS 2021)
  softmax,   ///< the largest probability before calibration, as its logarithm
  centroid,  ///< cosine to the nearest label's mean
};
constexpr auto names_of(OpenSetScore) {
  return std::array{"sum", "mahalanobis", "nearest", "energy", "softmax", "centroid"};
}
inline constexpr Index kOpenSetScores = 6;  ///< columns of the scores, in the order of the names

/// What scores of new rows are compared with: where the rows of each label lie.
class OpenSetShape {
 public:
  OpenSetShape() = default;
  /// x: training rows; labels: of the rows that have exactly one, else kNoise. Covariances are shrunk to
  /// (1 - shrinkage) S + shrinkage tr(S) / d I; if no label has two different rows, the one within labels is
  /// that of all rows. Error(data) if no row has a label. O(n d^2 + d^3).
  static OpenSetShape fit(const Rows& x, const Labels& labels, double shrinkage, const Run& run);

  struct Scored {
    Matrix scores;                       ///< rows x kOpenSetScores; of `sum` 0
    std::vector<std::uint32_t> nearest;  ///< training row
  };
  /// logits: rows x labels, as the regression gives them. O(rows n d).
  Scored score(const Rows& x, const Matrix& logits, HeadTask task, const Run& run) const;
  const Rows& rows() const { return rows_; }  ///< the training rows

  void save(ArchiveWriter& out) const;
  static OpenSetShape load(const ArchiveReader& in, const Space& space);

 private:
  void use(Matrix centroids);

  Rows rows_{MatrixView{}};
  Matrix mean_;                     // 1 x d
  Matrix centroids_;                // labels with rows x d
  Matrix directions_;               // the same at length 1
  Matrix whiten_all_, whiten_own_;  // L^-1 of the covariances, d x d
  Matrix white_;                    // centroids, less the mean, by whiten_own_
  std::vector<float> half_white_;   // -|white|^2 / 2
};

/// Mean and deviation of each score over held-out rows of known labels, and the scores of these rows, sorted:
/// what is usual for a known row.
class OpenSetScale {
 public:
  OpenSetScale() = default;
  explicit OpenSetScale(const Matrix& scores);  ///< rows x kOpenSetScores; fills `sum` itself
  bool empty() const { return sorted_.empty(); }
  void fill_sum(Matrix& scores) const;  ///< in and out: column `sum`
  /// At least this share of the held-out rows scores as much or more.
  float threshold(OpenSetScore score, double coverage) const;
  /// Share of held-out rows, and the row itself among them, that score no more: small for rows that are
  /// unlike them. If known rows come from where the held-out ones do, it is at most p with probability p
  /// (conformal).
  double p_value(OpenSetScore score, float value) const;

  void save(ArchiveWriter& out) const;
  static OpenSetScale load(const ArchiveReader& in);

 private:
  std::vector<double> mean_, deviation_;
  std::vector<std::vector<float>> sorted_;  // of each score
};

}  // namespace shoal
