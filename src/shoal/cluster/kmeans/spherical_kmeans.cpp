#include "shoal/cluster/kmeans/spherical_kmeans.h"

#include <algorithm>
#include <cmath>

#include "shoal/cluster/kmeans/kmeans_family_impl.h"
#include "shoal/linear/norms.h"
#include "shoal/near/nearness_impl.h"

namespace shoal {
namespace {

/// `start` with rows of length 1.
Matrix unit_start(const Matrix& start) {
  Matrix unit = start;
  for (Index c = 0; c < unit.rows(); ++c) {
    const double scale = unit_scale(unit[c]);
    if (!(scale > 0))
      throw Error(Fault::argument, "row " + std::to_string(c) + " of the start is all zero or not finite");
    if (scale != 1)
      for (float& v : unit[c]) v = static_cast<float>(v * scale);
  }
  return unit;
}

}  // namespace

SphericalKMeans SphericalKMeans::fit(const Rows& x, const Options& options, const Run& run,
                                     std::span<const float> weights) {
  check_options(options);
  check_rows(x, options.n_clusters);
  check_weights(weights, x.rows());
  const MetricRows rows(x, Metric::cosine, run);
  return SphericalKMeans(options, x.space(), best_of_starts(rows, options, weights, run));
}

SphericalKMeans SphericalKMeans::fit_from(const Rows& x, const Matrix& start, const Options& options,
                                          const Run& run, std::span<const float> weights) {
  check_options(options);
  check_start(start, options.n_clusters, x.cols());
  check_weights(weights, x.rows());
  Matrix unit = unit_start(start);
  const MetricRows rows(x, Metric::cosine, run);
  const LloydOptions rounds{.max_iter = options.max_iter, .tol = options.tol, .weights = weights};
  return SphericalKMeans(options, x.space(), lloyd(rows, std::move(unit), rounds, run));
}

SphericalKMeans::SphericalKMeans(const Options& options, const Space& space, LloydResult&& result)
    : options_(options),
      space_(space),
      centers_(std::move(result.centers)),
      labels_(std::move(result.labels)),
      objective_(result.objective),
      inertia_(2 * (result.mass - result.objective)),
      n_iter_(result.n_iter) {}

Labels SphericalKMeans::predict(const Rows& x, const Run& run) const {
  check_input(x, centers_.cols(), space_, "the clusters");
  return label_rows(MetricRows(x, Metric::cosine, run), centers_, run, "predict clusters");
}

Matrix SphericalKMeans::transform(const Rows& x, const Run& run) const {
  check_input(x, centers_.cols(), space_, "the clusters");
  return distances(MetricRows(x, Metric::cosine, run), centers_, run);
}

void SphericalKMeans::save(ArchiveWriter& out) const {
  out.options(list_fields(options_));
  out.space(space_);
  out.add("centers", centers_.view());
  out.add("labels", std::span<const std::int32_t>(labels_.of));
  out.add("objective", std::span<const double>(&objective_, 1));
  out.add("inertia", std::span<const double>(&inertia_, 1));
  write_count(out, "n_iter", n_iter_);
}

SphericalKMeans SphericalKMeans::load(const ArchiveReader& in) {
  check_kind(in, kind);
  SphericalKMeans s;
  s.options_ = read_options<Options>(in);
  s.space_ = read_space(in);
  s.centers_ = read_centers(in, "centers", s.options_.n_clusters, Metric::cosine);
  s.labels_ = read_labels(in, s.options_.n_clusters);
  s.objective_ = read_doubles(in, "objective", 1)[0];
  // Without weights, as files were saved that do not say: 2 (rows - objective).
  const auto labelled = std::ranges::count_if(s.labels_.of, [](Label l) { return l != kNoise; });
  s.inertia_ = in.has("inertia") ? read_doubles(in, "inertia", 1)[0]
                                 : 2 * (static_cast<double>(labelled) - s.objective_);
  s.n_iter_ = read_count(in, "n_iter");
  return s;
}

Index default_clusters(Index rows) {
  if (rows < 4) return 1;
  const auto about = static_cast<Index>(std::lround(std::sqrt(static_cast<double>(rows) / 6)));
  return std::clamp<Index>(about, 2, 500);
}

}  // namespace shoal
