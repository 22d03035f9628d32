#include "shoal/reduce/umap/umap.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <string>

#include "shoal/core/error.h"
#include "shoal/linear/norms.h"
#include "shoal/reduce/plane_impl.h"
#include "shoal/reduce/umap/umap_layout_impl.h"
#include "shoal/reduce/umap/umap_place_impl.h"
#include "shoal/reduce/umap/umap_setup_impl.h"
#include "shoal/store/archive/archive.h"

namespace shoal {
namespace {

constexpr float kExtent = 10;     // the start's largest coordinate
constexpr float kJitter = 1e-4f;  // moves equal rows apart at the start
constexpr Index kSmall = 10'000;  // up to so many rows there are 500 epochs, above 200

Index epochs_of(const UmapOptions& o, Index rows) {
  return o.n_epochs.value_or((rows <= kSmall ? 500 : 200) + (o.dens_lambda > 0 ? 200 : 0));
}

std::string hex(std::uint64_t n) {
  char buffer[17];
  std::snprintf(buffer, sizeof buffer, "%016llx", static_cast<unsigned long long>(n));
  return buffer;
}

}  // namespace

void check_together(const UmapOptions& o) {
  require(o.min_dist <= o.spread, Fault::argument,
          option_name("min_dist") + " is " + text_of(o.min_dist) + "; allowed: 0 to " +
              option_name("spread") + ", which is " + text_of(o.spread));
}

Matrix umap_start(const Rows& x, Seed seed, const Run& run) {
  Matrix out = principal_plane(x, run);
  float most = 0;
  for (Index i = 0; i < x.rows(); ++i)
    for (float v : out[i]) most = std::max(most, std::abs(v));
  const float scale = most > 0 ? kExtent / most : 0, jitter = most > 0 ? kJitter : kExtent;
  const Random random(seed);
  for (Index i = 0; i < x.rows(); ++i)
    for (Index j = 0; j < 2; ++j) {
      const auto noise = static_cast<float>(2 * random.uniform(2 * i + j) - 1);
      out[i][j] = out[i][j] * scale + jitter * noise;
    }
  return out;
}

UmapDescentOptions umap_descent_options(const UmapOptions& o, Index rows) {
  return {.curve = fit_curve(o.min_dist, o.spread),
          .n_epochs = epochs_of(o, rows),
          .learning_rate = o.learning_rate,
          .negative_sample_rate = o.negative_sample_rate,
          .seed = o.seed.child(1)};
}

void Umap::lay_out(const Rows& x, const Run& run) {
  // n_neighbors counts the point itself, as umap-learn does.
  const Index k = std::min(options_.n_neighbors, x.rows()) - 1;
  const Neighbours near = nearest_neighbours(x, k, options_.metric, run);
  scales_ = local_scales(near, run);
  UmapDescentOptions layout = umap_descent_options(options_, x.rows());
  const NeighbourGraph graph = without_idle_edges(fuzzy_graph(near, scales_, run), layout.n_epochs);
  const bool dense = options_.dens_lambda > 0;
  if (dense)
    layout.density = {options_.dens_lambda, options_.dens_frac, options_.dens_var_shift,
                      log_radii(graph, near, run)};
  const Run quiet = run.quiet();
  embedding_ = umap_start(x, options_.seed.child(0), quiet);
  optimise_layout(graph, layout, embedding_.span(), run);
  if (!dense) return;
  radii_ = Matrix(x.rows(), 2);
  const std::vector<float> there = map_log_radii(graph, layout.curve, embedding_.view(), run);
  for (Index i = 0; i < x.rows(); ++i) {
    radii_[i][0] = layout.density.log_radius[i];
    radii_[i][1] = there[i];
  }
}

Umap Umap::fit(const Rows& x, const Options& options, const Run& run) {
  check_options(options);
  check_finite(x, run);
  Umap umap;
  umap.options_ = options;
  umap.space_ = x.space();
  umap.rows_ = rows_fingerprint(x, run.quiet());
  if (x.rows() < 2 || x.cols() == 0) {
    umap.embedding_ = umap.scales_ = Matrix(x.rows(), 2);
  } else if (options.metric == Metric::cosine && !x.space().unit) {
    Matrix unit = x.to_matrix();  // so that the start sees directions, as the neighbours do
    unit_rows(unit.span());
    umap.lay_out(unit, run);
  } else {
    umap.lay_out(x, run);
  }
  return umap;
}

Matrix Umap::transform(const Rows& x, const Rows& training, const Run& run) const {
  const auto refuse = [](const std::string& what) { throw Error(Fault::data, "umap: " + what); };
  const Run quiet = run.quiet();
  if (training.rows() != embedding_.rows() || rows_fingerprint(training, quiet) != rows_)
    refuse("the " + std::to_string(training.rows()) + " x " + std::to_string(training.cols()) +
           " training rows are not those on which the map was fitted");
  if (x.cols() != training.cols())
    refuse("the rows have " + std::to_string(x.cols()) + " numbers each, those of the map " +
           std::to_string(training.cols()));
  check_space(space_, x.space(), "umap");
  check_finite(x, run);
  if (x.rows() == 0 || x.cols() == 0) return Matrix(x.rows(), 2);
  if (training.rows() == 0) refuse("a map of no rows has no places");
  const Index k = std::max<Index>(std::min(options_.n_neighbors, training.rows()) - 1, 1);
  const Neighbours near = nearest(training, x.assume_space(training.space()), k, options_.metric, run);
  UmapDescentOptions layout = umap_descent_options(options_, training.rows());
  layout.n_epochs = std::max<Index>(layout.n_epochs / 3, 1);
  layout.learning_rate /= 4;
  layout.seed = options_.seed.child(2);
  return place_points(near, embedding_.view(), scales_, layout, run);
}

const Matrix& Umap::embedding() const& { return embedding_; }
const Matrix& Umap::local_radii() const& { return radii_; }
const Space& Umap::space() const& { return space_; }
Space Umap::space() && { return std::move(space_); }

void Umap::save(ArchiveWriter& out) const {
  out.options(list_fields(options_));
  out.space(space_);
  out.meta("rows", hex(rows_));
  out.add("embedding", embedding_.view());
  out.add("scales", scales_.view());
  out.add("radii", radii_.view());
}

Umap Umap::load(const ArchiveReader& in) {
  check_kind(in, kind);
  Umap umap;
  umap.options_ = read_options<Options>(in);
  umap.space_ = read_space(in);
  umap.embedding_ = in.matrix("embedding");
  if (umap.embedding_.cols() != 2 && umap.embedding_.rows() != 0)
    throw Error(Fault::format, in.path().string() + ": embedding has " +
                                   std::to_string(umap.embedding_.cols()) + " columns, not 2");
  umap.scales_ = in.matrix("scales", umap.embedding_.rows(), 2);
  umap.radii_ = in.matrix("radii");
  if (umap.radii_.cols() != 2 || (umap.radii_.rows() != 0 && umap.radii_.rows() != umap.embedding_.rows()))
    throw Error(Fault::format, in.path().string() + ": radii are not two for each point");
  const std::string rows = in.meta("rows");
  if (std::from_chars(rows.data(), rows.data() + rows.size(), umap.rows_, 16).ptr !=
      rows.data() + rows.size())
    throw Error(Fault::format, in.path().string() + ": '" + rows + "' is no fingerprint of rows");
  return umap;
}

}  // namespace shoal
