#include "shoal/classify/centroid_features.h"

#include <algorithm>
#include <string>

#include "shoal/core/error.h"
#include "shoal/linear/norms.h"
#include "shoal/near/centroids_impl.h"
#include "shoal/near/nearness_impl.h"
#include "shoal/store/archive/archive.h"

namespace shoal {

CentroidFeatures CentroidFeatures::fit(const Rows& x, const Labels& labels, const Options& options,
                                       const Run& run) {
  check_labels(labels, x.rows());
  require(x.cols() > 0, Fault::data, "the rows have no columns");
  require(labels.count > 0, Fault::data, "there are no clusters");
  CentroidFeatures f;
  f.options_ = options;
  f.space_ = x.space();
  f.centroids_ = shoal::centroids(x, options.metric, labels, run);
  return f;
}

Matrix CentroidFeatures::transform(const Rows& x, const Run& run) const {
  check_input(x, centroids_.cols(), space_, "the centroids");
  // A power of two changes no digit and keeps squares of large numbers in the range of float.
  ShiftScale frame;
  if (options_.metric == Metric::euclidean) frame.scale = frame_within_one({centroids_}, run.quiet()).scale;
  const Matrix centers = MetricRows(centroids_, options_.metric, frame, run.quiet()).to_matrix();
  return distances(MetricRows(x, options_.metric, frame, run), centers, run);
}

Labels CentroidFeatures::predict(const Rows& x, const Run& run) const {
  const Matrix distances = transform(x, run);
  Labels labels{std::vector<Label>(x.rows(), kNoise), centroids_.rows()};
  const auto nowhere = [&](std::span<const float> row) {
    return options_.metric == Metric::cosine && std::ranges::all_of(row, [](float d) { return d == 1; });
  };
  for (Index i = 0; i < x.rows(); ++i)
    if (!nowhere(distances[i]))
      labels.of[i] = static_cast<Label>(std::ranges::min_element(distances[i]) - distances[i].begin());
  return labels;
}

void CentroidFeatures::save(ArchiveWriter& out) const {
  out.options(list_fields(options_));
  out.space(space_);
  out.add("centroids", centroids_.view());
}

CentroidFeatures CentroidFeatures::load(const ArchiveReader& in) {
  check_kind(in, kind);
  CentroidFeatures f;
  f.options_ = read_options<Options>(in);
  f.space_ = read_space(in);
  f.centroids_ = in.matrix("centroids");
  if (f.centroids_.rows() == 0) throw Error(Fault::format, in.path().string() + " holds no centroids");
  return f;
}

}  // namespace shoal
