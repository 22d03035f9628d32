#include "shoal/reduce/tsne/tsne.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "shoal/core/error.h"
#include "shoal/linear/norms.h"
#include "shoal/reduce/plane_impl.h"
#include "shoal/reduce/tsne/tsne_affinities_impl.h"
#include "shoal/reduce/tsne/tsne_layout_impl.h"
#include "shoal/store/archive/archive.h"

namespace shoal {
namespace {

constexpr double kExtent =
    1e-4;  // standard deviation of the start's first coordinate: forces are then simple
double standard_deviation(const Matrix& x, Index column) {
  const auto n = static_cast<double>(x.rows());
  double sum = 0, squares = 0;
  for (Index i = 0; i < x.rows(); ++i) sum += x[i][column];
  for (Index i = 0; i < x.rows(); ++i) squares += (x[i][column] - sum / n) * (x[i][column] - sum / n);
  return std::sqrt(squares / n);
}

Matrix start(const Rows& x, const TsneOptions& o, const Run& run) {
  Matrix out = o.init == TsneInit::pca ? principal_plane(x, run) : Matrix(x.rows(), 2);
  const double deviation = standard_deviation(out, 0);
  const Random random(o.seed.child(0));
  for (Index i = 0; i < 2 * x.rows(); ++i) {
    // All equal, or asked for. Uniform draws: the same bits on every machine.
    const double value =
        deviation > 0 ? out.data()[i] / deviation : std::sqrt(3.0) * (2 * random.uniform(i) - 1);
    out.data()[i] = static_cast<float>(kExtent * value);
  }
  return out;
}

double reachable(double perplexity, Index rows) {
  return std::clamp((static_cast<double>(rows) - 1) / 3, 1.0, perplexity);
}

TsnePhase phase(const TsneOptions& o, Index n_iter, double exaggeration, double momentum, Index rows) {
  return {
      .n_iter = n_iter,
      .exaggeration = static_cast<float>(exaggeration),
      .learning_rate = static_cast<float>(o.learning_rate.value_or(static_cast<double>(rows) / exaggeration)),
      .momentum = static_cast<float>(momentum)};
}

// At least 2 rows and a column. Returns the divergence.
float lay_out(const Rows& x, const TsneOptions& o, const Run& run, Matrix& out) {
  const double effective = reachable(o.perplexity, x.rows());
  const Index k = std::min(static_cast<Index>(3 * o.perplexity), x.rows() - 1);
  const NeighbourGraph affinities =
      joint_affinities(nearest_neighbours(x, k, o.metric, run), o.metric, effective, run);
  out = start(x, o, run.quiet());
  const TsnePhase phases[] = {
      phase(o, o.early_exaggeration_iter, o.early_exaggeration, o.early_momentum, x.rows()),
      phase(o, o.n_iter - o.early_exaggeration_iter, o.exaggeration, o.momentum, x.rows())};
  return optimise_tsne(affinities, phases, o.seed.child(1), out.span(), run);
}

}  // namespace

void check_together(const TsneOptions& o) {
  require(o.early_exaggeration_iter <= o.n_iter, Fault::argument,
          option_name("early_exaggeration_iter") + " is " + std::to_string(o.early_exaggeration_iter) +
              ", more than all iterations: " + option_name("n_iter") + " is " + std::to_string(o.n_iter));
}

Tsne Tsne::fit(const Rows& x, const Options& options, const Run& run) {
  check_options(options);
  check_finite(x, run);
  Tsne tsne;
  tsne.options_ = options;
  tsne.space_ = x.space();
  if (x.rows() < 2 || x.cols() == 0) {
    tsne.embedding_ = Matrix(x.rows(), 2);
  } else if (options.metric == Metric::cosine && !x.space().unit) {
    Matrix unit = x.to_matrix();  // so that the start sees directions, as the neighbours do
    unit_rows(unit.span());
    tsne.kl_divergence_ = lay_out(unit, options, run, tsne.embedding_);
  } else {
    tsne.kl_divergence_ = lay_out(x, options, run, tsne.embedding_);
  }
  return tsne;
}

const Matrix& Tsne::embedding() const& { return embedding_; }
double Tsne::perplexity() const { return reachable(options_.perplexity, embedding_.rows()); }
float Tsne::kl_divergence() const { return kl_divergence_; }
const Space& Tsne::space() const& { return space_; }
Space Tsne::space() && { return std::move(space_); }

void Tsne::save(ArchiveWriter& out) const {
  out.options(list_fields(options_));
  out.space(space_);
  out.add("embedding", embedding_.view());
  out.add("kl_divergence", std::span(&kl_divergence_, 1));
}

Tsne Tsne::load(const ArchiveReader& in) {
  check_kind(in, kind);
  const auto broken = [&](const std::string& what) {
    return Error(Fault::format, in.path().string() + ": " + what);
  };
  Tsne tsne;
  tsne.options_ = read_options<Options>(in);
  tsne.space_ = read_space(in);
  tsne.embedding_ = in.matrix("embedding");
  if (tsne.embedding_.cols() != 2 && tsne.embedding_.rows() != 0)
    throw broken("embedding has " + std::to_string(tsne.embedding_.cols()) + " columns, not 2");
  tsne.kl_divergence_ = in.floats("kl_divergence", 1)[0];
  return tsne;
}

}  // namespace shoal
