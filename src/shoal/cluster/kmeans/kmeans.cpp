#include "shoal/cluster/kmeans/kmeans.h"

#include <algorithm>
#include <cmath>

#include "shoal/cluster/kmeans/kmeans_family_impl.h"
#include "shoal/linear/norms.h"
#include "shoal/near/nearness_impl.h"

namespace shoal {
namespace {

/// The start in the frame.
Matrix moved_start(const Matrix& start, const ShiftScale& frame, const Run& run) {
  for (Index c = 0; c < start.rows(); ++c)
    if (!std::ranges::all_of(start[c], [](float v) { return std::isfinite(v); }))
      throw Error(Fault::argument, "row " + std::to_string(c) + " of the start is not finite");
  const Rows source(start);
  const MetricRows rows(source, Metric::euclidean, frame, run.quiet());
  return rows.to_matrix();
}

}  // namespace

KMeans KMeans::fit(const Rows& x, const Options& options, const Run& run, std::span<const float> weights) {
  check_options(options);
  check_rows(x, options.n_clusters);
  check_weights(weights, x.rows());
  const MetricRows rows(x, Metric::euclidean, run);
  const Options used = with_n_init(options, x);
  return KMeans(used, x.space(), rows.frame(), best_of_starts(rows, used, weights, run));
}

KMeans KMeans::fit_from(const Rows& x, const Matrix& start, const Options& options, const Run& run,
                        std::span<const float> weights) {
  check_options(options);
  check_start(start, options.n_clusters, x.cols());
  check_weights(weights, x.rows());
  const MetricRows rows(x, Metric::euclidean, run);
  const LloydOptions rounds{.max_iter = options.max_iter, .tol = options.tol, .weights = weights};
  return KMeans(options, x.space(), rows.frame(),
                lloyd(rows, moved_start(start, rows.frame(), run), rounds, run));
}

KMeans::KMeans(const Options& options, const Space& space, const ShiftScale& frame, LloydResult&& result)
    : options_(options),
      space_(space),
      frame_(frame),
      moved_centers_(std::move(result.centers)),
      centers_(out_of(frame, moved_centers_)),
      labels_(std::move(result.labels)),
      inertia_(-result.objective / frame.scale / frame.scale),
      n_iter_(result.n_iter) {}

Labels KMeans::predict(const Rows& x, const Run& run) const {
  check_input(x, centers_.cols(), space_, "the clusters");
  return label_rows(MetricRows(x, Metric::euclidean, frame_, run), moved_centers_, run, "predict clusters");
}

Matrix KMeans::transform(const Rows& x, const Run& run) const {
  check_input(x, centers_.cols(), space_, "the clusters");
  return distances(MetricRows(x, Metric::euclidean, frame_, run), moved_centers_, run);
}

void KMeans::save(ArchiveWriter& out) const {
  out.options(list_fields(options_));
  out.space(space_);
  write_frame(out, frame_);
  out.add("centers", moved_centers_.view());
  out.add("labels", std::span<const std::int32_t>(labels_.of));
  out.add("inertia", std::span<const double>(&inertia_, 1));
  write_count(out, "n_iter", n_iter_);
}

KMeans KMeans::load(const ArchiveReader& in) {
  check_kind(in, kind);
  KMeans k;
  k.options_ = read_options<Options>(in);
  k.space_ = read_space(in);
  k.moved_centers_ = read_centers(in, "centers", k.options_.n_clusters, Metric::euclidean);
  k.frame_ = read_frame(in, k.moved_centers_.cols());
  k.centers_ = out_of(k.frame_, k.moved_centers_);
  k.labels_ = read_labels(in, k.options_.n_clusters);
  k.inertia_ = read_doubles(in, "inertia", 1)[0];
  k.n_iter_ = read_count(in, "n_iter");
  return k;
}

}  // namespace shoal
