#include "shoal/cluster/spherical_kmeans.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "shoal/cluster/lloyd_impl.h"
#include "shoal/cluster/nearest_center_impl.h"
#include "shoal/cluster/seeding_impl.h"
#include "shoal/cluster/unit_rows_impl.h"
#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/linear/norms.h"
#include "shoal/linear/product.h"
#include "shoal/store/archive.h"

namespace shoal {
namespace {

constexpr Index kGrain = 2048;
constexpr Index kBlock = 256;

void check(const SphericalKMeansOptions& o) {
  if (o.n_clusters < 1) throw Error(Fault::argument, "n_clusters is 0; allowed: 1 or more");
  if (o.max_iter < 1) throw Error(Fault::argument, "max_iter is 0; allowed: 1 or more");
  if (o.n_init < 1) throw Error(Fault::argument, "n_init is 0; allowed: 1 or more");
  if (!(o.tol >= 0) || std::isinf(o.tol))
    throw Error(Fault::argument,
                "tol is " + std::to_string(o.tol) + "; allowed: 0 or more, for example 1e-4");
}

void check_rows(const Rows& x, Index n_clusters) {
  if (x.rows() < n_clusters)
    throw Error(Fault::data,
                "n_clusters is " + std::to_string(n_clusters) + ", but only " + std::to_string(x.rows()) +
                    " rows were given" +
                    (x.rows() > 0 ? "; allowed: 1.." + std::to_string(x.rows()) : std::string()));
}

/// `start` with rows of length 1.
Matrix unit_start(const Rows& x, const Matrix& start, Index n_clusters) {
  if (start.rows() != n_clusters || start.cols() != x.cols())
    throw Error(Fault::argument, "the start has " + std::to_string(start.rows()) + " x " +
                                     std::to_string(start.cols()) +
                                     " numbers; n_clusters and the rows ask for " +
                                     std::to_string(n_clusters) + " x " + std::to_string(x.cols()));
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

/// Calls each(row, its products with all centroids) for every row that is not zero, in parallel.
template <class Each>
void for_rows(const Rows& x, const Matrix& centers, const Run& run, const char* step, Each&& each) {
  const UnitRows rows(x, run);
  const Packed packed = Packed::rows(centers.view());
  for_chunks(
      run, rows.rows(), kGrain,
      [&](Index, Index first, Index last) {
        UnitScratch unit;
        Matrix cosines;
        for (Index i = first; i < last; i += kBlock) {
          const MatrixView block = rows.block(i, std::min(kBlock, last - i), unit);
          for_cosines(block, packed, cosines, [&](Index r, std::span<const float> values) {
            if (!rows.zero(i + r)) each(i + r, values);
          });
        }
      },
      step);
}

double only_double(const Reader& in, std::string_view name) {
  const Tensor& t = in.tensor(name);
  if (t.type != TensorType::f64 || t.bytes.size() != sizeof(double))
    throw Error(Fault::format, in.path().string() + ": tensor " + std::string(name) + " is not one f64");
  double value;
  std::memcpy(&value, t.bytes.data(), sizeof value);
  return value;
}

}  // namespace

SphericalKMeans SphericalKMeans::fit(const Rows& x, const Options& options, const Run& run) {
  check(options);
  check_rows(x, options.n_clusters);
  const UnitRows rows(x, run);
  LloydResult best;
  for (Index start = 0; start < options.n_init; ++start) {
    Matrix seeds = seed_centers(rows, options.n_clusters, options.seed.child(start), run);
    LloydResult found = lloyd(rows, std::move(seeds), {options.max_iter, options.tol}, run);
    if (start == 0 || found.objective > best.objective) best = std::move(found);
  }
  return SphericalKMeans(options, x.space(), std::move(best));
}

SphericalKMeans SphericalKMeans::fit_from(const Rows& x, const Matrix& start, const Options& options,
                                          const Run& run) {
  check(options);
  Matrix unit = unit_start(x, start, options.n_clusters);
  const UnitRows rows(x, run);
  return SphericalKMeans(options, x.space(),
                         lloyd(rows, std::move(unit), {options.max_iter, options.tol}, run));
}

SphericalKMeans::SphericalKMeans(const Options& options, const Space& space, LloydResult&& result)
    : options_(options),
      space_(space),
      centers_(std::move(result.centers)),
      labels_(std::move(result.labels)),
      objective_(result.objective),
      n_iter_(result.n_iter) {}

Labels SphericalKMeans::predict(const Rows& x, const Run& run) const {
  check_input(x);
  Labels labels{std::vector<Label>(x.rows(), kNoise), centers_.rows()};
  for_rows(x, centers_, run, "predict clusters",
           [&](Index row, std::span<const float> cosines) { labels.of[row] = nearest(cosines).label; });
  return labels;
}

Matrix SphericalKMeans::transform(const Rows& x, const Run& run) const {
  check_input(x);
  Matrix distances(x.rows(), centers_.rows());
  std::fill_n(distances.data(), x.rows() * centers_.rows(), 1.0f);
  for_rows(x, centers_, run, "distances to clusters", [&](Index row, std::span<const float> cosines) {
    for (Index c = 0; c < cosines.size(); ++c) distances[row][c] = std::clamp(1 - cosines[c], 0.0f, 2.0f);
  });
  return distances;
}

double SphericalKMeans::inertia() const {
  const auto labelled = std::ranges::count_if(labels_.of, [](Label l) { return l != kNoise; });
  return 2 * (static_cast<double>(labelled) - objective_);
}

void SphericalKMeans::check_input(const Rows& x) const {
  if (x.cols() != centers_.cols())
    throw Error(Fault::data, "the rows have " + std::to_string(x.cols()) +
                                 " columns, but the clusters were fitted on " +
                                 std::to_string(centers_.cols()));
  check_space(space_, x.space(), "the clusters");
}

void SphericalKMeans::save(Writer& out) const {
  out.options(list_fields(options_));
  out.space(space_);
  out.add("centers", centers_.view());
  out.add("labels", std::span<const std::int32_t>(labels_.of));
  out.add("objective", std::span<const double>(&objective_, 1));
  const auto n_iter = static_cast<std::int64_t>(n_iter_);
  out.add("n_iter", std::span<const std::int64_t>(&n_iter, 1));
}

SphericalKMeans SphericalKMeans::load(const Reader& in) {
  check_kind(in, kind);
  const auto bad = [&](const std::string& what) {
    return Error(Fault::format, in.path().string() + ": " + what);
  };
  SphericalKMeans s;
  s.options_ = {.n_clusters = static_cast<Index>(in.integer("n_clusters")),
                .max_iter = static_cast<Index>(in.integer("max_iter")),
                .tol = in.number("tol"),
                .n_init = static_cast<Index>(in.integer("n_init")),
                .seed = {static_cast<std::uint64_t>(in.integer("seed"))}};
  s.space_ = read_space(in);
  s.centers_ = in.matrix("centers");
  if (s.centers_.rows() < 1 || s.centers_.rows() != s.options_.n_clusters)
    throw bad("there are " + std::to_string(s.centers_.rows()) + " centers, but n_clusters is " +
              std::to_string(s.options_.n_clusters));
  for (Index c = 0; c < s.centers_.rows(); ++c)
    if (unit_scale(s.centers_[c]) != 1) throw bad("center " + std::to_string(c) + " is not of length 1");
  s.labels_.count = s.centers_.rows();
  for (const std::int64_t label : in.integers("labels")) {
    if (label < kNoise || label >= static_cast<std::int64_t>(s.labels_.count))
      throw bad("label " + std::to_string(label) + " is not one of " + std::to_string(s.labels_.count));
    s.labels_.of.push_back(static_cast<Label>(label));
  }
  s.objective_ = only_double(in, "objective");
  const auto n_iter = in.integers("n_iter");
  if (n_iter.size() != 1 || n_iter[0] < 0) throw bad("n_iter is not one number");
  s.n_iter_ = static_cast<Index>(n_iter[0]);
  return s;
}

Index default_clusters(Index rows) {
  if (rows < 4) return 1;
  const auto about = static_cast<Index>(std::lround(std::sqrt(static_cast<double>(rows) / 6)));
  return std::clamp<Index>(about, 2, 500);
}

}  // namespace shoal
