#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "shoal/cluster/linkage/points_impl.h"
#include "shoal/core/matrix.h"

namespace shoal {

/// How far apart two clusters with means p, q of a, b rows are.
enum class Measure : std::uint8_t {
  mean_cosine,  ///< 1 - p.q, the mean cosine distance over all pairs: p, q are means of unit rows
  ward,         ///< sqrt(2 a b / (a + b)) |p - q|
  centroid,     ///< |p - q|
};

/// The clusters that are left while points join. A cluster's name is its lowest point, so that names keep
/// their order when clusters join. Means are kept in double; in float32 the living ones lie side by side, for
/// products, which only ever choose what is then compared in double.
class LivingClusters {
 public:
  using Name = std::uint32_t;

  /// Changes the floats of `points`, which must outlive this.
  LivingClusters(Points& points, Measure measure);

  Index count() const { return name_.size(); }
  Index cols() const { return points_.cols(); }
  Measure measure() const { return measure_; }
  Name name_at(Index place) const { return name_[place]; }
  Index place_of(Name name) const { return place_[name]; }
  /// Rows in the living cluster `name`. It grows with each join: an old size tells an old cluster.
  std::uint32_t size(Name name) const { return size_[name]; }
  bool alive(Name name) const { return into_[name] == name; }
  /// The living cluster that now holds the cluster that once had this name.
  Name now(Name name) const;

  /// Joins two living clusters under the lower name. The last place moves to the one that falls free.
  void join(Name a, Name b);

  /// The mean in double: cols numbers.
  void read_mean(Name name, std::span<double> out) const;
  /// Distance in the points' frame from the means of both, rounded to a multiple of 2^-40: what is equal but
  /// for the order of sums is then equal. Symmetric to the bit.
  double distance(const double* mean_a, Name a, const double* mean_b, Name b) const;
  /// The same; `other` is room for the mean of b.
  double distance(std::span<const double> mean_a, Name a, Name b, std::span<double> other) const;

  /// Means in float32, by place: count x cols.
  MatrixView floats() const { return floats_.slice(0, count()); }
  /// Turns products of the floats at places first.. (rows) with those at `queries` (columns) into scores: the
  /// larger, the nearer. Not for `centroid`.
  void products_to_scores(MatrixSpan products, Index first, std::span<const Index> queries) const;
  /// No two clusters with this score are nearer than that.
  double least_distance(float score) const;
  /// No point that is missing among another's neighbours by near/exact.h, the furthest of which is at
  /// `distance`, is nearer than that.
  double least_beyond(float distance) const;
  /// A lower bound for the distance of two clusters, by their floats' difference: near the distance itself
  /// but for rounding. For `centroid`, and for single points under `mean_cosine`.
  double least_distance(const float* a, const float* b) const;

 private:
  void measure_place(Index place);

  Points& points_;
  Measure measure_;
  MatrixSpan floats_;
  float rounding_ = 0;        // most that a product of two vectors of length 1 is off
  double longest_ = 0;        // length of the longest point
  std::vector<Name> name_;    // by place
  std::vector<Index> place_;  // by name
  std::vector<Name> into_;    // by name: what it was joined into; itself if alive
  std::vector<std::uint32_t> size_;
  std::vector<std::unique_ptr<double[]>> mean_;  // by name; none for a single point
  std::vector<float> inverse_size_, square_;     // by place, for ward: 1 / rows, |mean|^2
};

}  // namespace shoal
