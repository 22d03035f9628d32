#pragma once

#include <string_view>
#include <utility>

#include "shoal/core/fields.h"
#include "shoal/core/labels.h"
#include "shoal/core/matrix.h"
#include "shoal/core/metric.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"
#include "shoal/core/stage.h"

namespace shoal {

/// What `CentroidFeatures::fit` may be told.
struct CentroidFeaturesOptions {
  Metric metric = Metric::cosine;
};
template <class V>
void fields(CentroidFeaturesOptions& o, V&& visit) {
  visit("metric", o.metric, "distance to the centroids");
}

/// Centroids of a labelling (cosine: direction of the sum of the rows at length 1; Euclidean: mean) and the
/// distances of rows to them as features. Rows labelled kNoise are left out. Under cosine a row of zeros
/// points nowhere: it counts in no centroid and its distance to each is 1.
class CentroidFeatures {
 public:
  using Options = CentroidFeaturesOptions;
  static constexpr std::string_view kind = "centroid_features";

  /// Error(data) if a row holds a NaN or an infinity (named), if the labels are not one a row or outside
  /// 0..count-1 (named), or if a cluster has no rows (named; compact_labels leaves such clusters out). O(n
  /// d).
  static CentroidFeatures fit(const Rows& x, const Labels& labels, const Options& options = {},
                              const Run& run = {});

  /// Distance to each centroid, 0..2 under cosine: rows x clusters. Error(data) as fit, if the rows have
  /// another dimension or space, or (Euclidean) if a row lies 1e18 times further away than any centroid. O(n
  /// d clusters).
  Matrix transform(const Rows& x, const Run& run = {}) const;
  /// The nearest centroid, ties to the smaller label; kNoise under cosine for a row at right angles to
  /// all of them, as a row of zeros is.
  Labels predict(const Rows& x, const Run& run = {}) const;
  const Matrix& centroids() const& { return centroids_; }  ///< clusters x d
  Matrix centroids() && { return std::move(centroids_); }
  const Space& space() const& { return space_; }
  Space space() && { return std::move(space_); }
  const Options& options() const& { return options_; }
  Options options() && { return std::move(options_); }

  void save(ArchiveWriter& out) const;
  static CentroidFeatures load(
      const ArchiveReader& in);  ///< Error(format) if the file does not hold one, whole

 private:
  CentroidFeatures() = default;
  Options options_;
  Space space_;
  Matrix centroids_;
};
static_assert(Transformer<CentroidFeatures> && Predictor<CentroidFeatures>);

}  // namespace shoal
