#pragma once

#include <span>

#include "shoal/core/matrix.h"
#include "shoal/core/random.h"
#include "shoal/core/run.h"

namespace shoal {

class ArchiveWriter;
class ArchiveReader;

/// Says how near a text is to what somebody's feedback was about: the largest cosine to a centroid of the
/// texts of the feedback, through a sigmoid. The thresholds are learnt from these texts: each is compared
/// once with all centroids, its own without the text itself (it is near what the feedback was about), and
/// once with the centroids of the other clusters alone (it is not).
class FeedbackGate {
 public:
  /// texts: rows of length 1, at least one. O(texts n_centroids d) a round of k-means.
  static FeedbackGate fit(MatrixView texts, Index n_centroids, Seed seed, const Run& run);

  /// The largest cosine to a centroid. x: of length 1.
  float nearness(std::span<const float> x) const;
  /// Half open at the mean nearness of the feedback's own texts: 0..1.
  float wide(float nearness) const;
  /// Half open not before 98 of 100 texts whose own cluster was left out are shut out: 0..1.
  float narrow(float nearness) const;
  const Matrix& centers() const { return centers_; }

  void save(ArchiveWriter& out) const;
  static FeedbackGate load(const ArchiveReader& in, Index dims);

 private:
  Matrix centers_;  // unit rows, as 16 bits keep them
  double mean_ = 0, least_ = 0, deviation_ = 1;
};

}  // namespace shoal
