#pragma once

#include <span>

#include "shoal/cluster/kmeans/angle_bounds_impl.h"
#include "shoal/near/nearness_impl.h"

namespace shoal {

/// Bounds what a computed closeness can mean, in whole numbers (Angle) of angles, or of distances: see
/// `set_unit`.
class CenterBounds {
 public:
  /// Borrows `nearness`, whose centroids may change.
  CenterBounds(const Nearness& nearness, Index dims);

  /// Euclidean: distances about as long as `distance` become bounds of about 2048. Both in the frame, like
  /// the longest vector that there is.
  void set_unit(double distance, double longest);
  /// Lower bounds of the true distances, one a score.
  void at_least(float squared_length, std::span<const float> scores, Angle* bounds) const;
  Angle at_least(float closeness) const;
  /// As AngleTable::limit.
  int limit(float closeness) const;
  /// What two vectors are apart, rounded up.
  Angle step(std::span<const float> from, std::span<const float> to) const;
  /// Labels whose closeness, as Nearness::closeness computes it, differ by no more may stand the other way
  /// round by `nearest`. Euclidean: negative, since there it is what defines the label.
  float unsure() const { return cosine_ ? 4 * angles_.slack() : -1; }

 private:
  const Nearness& nearness_;
  bool cosine_;
  AngleTable angles_;  // cosine
  double per_unit_ = 1;
};

}  // namespace shoal
