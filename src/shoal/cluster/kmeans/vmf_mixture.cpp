#include "shoal/cluster/kmeans/vmf_mixture.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

#include "shoal/cluster/kmeans/bessel_impl.h"
#include "shoal/cluster/kmeans/kmeans_family_impl.h"
#include "shoal/cluster/kmeans/spherical_kmeans.h"
#include "shoal/core/chunks.h"
#include "shoal/linear/norms.h"
#include "shoal/near/nearness_impl.h"

namespace shoal {
namespace {

constexpr Index kBlock = 256;
constexpr Index kParts = 32;      // most partial sums
constexpr double kNothing = -60;  // log of a membership that counts as 0: products of tiny numbers are slow
constexpr double kLeast = 1e-6, kMost = 1e5;  // concentrations

double order_of(Index dims) { return static_cast<double>(dims) / 2 - 1; }

/// Log of what makes exp(kappa cosine) a density on the sphere in `dims` dimensions.
double log_scale(Index dims, double kappa) {
  const double d = static_cast<double>(dims), order = order_of(dims);
  return order * std::log(kappa) - d / 2 * std::log(2 * std::numbers::pi) - bessel_i(order, kappa).log;
}

/// The concentration whose mean has length `r`.
double kappa_of(Index dims, double r) {
  const double d = static_cast<double>(dims);
  r = std::clamp(r, 0.0, 1 - 1e-9);
  double kappa = std::clamp(r * (d - r * r) / (1 - r * r), kLeast, kMost);
  for (int newton = 0; newton < 10; ++newton) {
    const double a = bessel_i(order_of(dims), kappa).ratio;
    const double next = kappa - (a - r) / (1 - a * a - (d - 1) / kappa * a);
    if (!(next > kLeast && next < kMost)) break;
    const double step = std::abs(next - std::exchange(kappa, next));
    if (step < 1e-9 * kappa) break;
  }
  return kappa;
}

}  // namespace

/// The densities of a mixture, and the rounds of EM.
class VmfRounds {
 public:
  VmfRounds(const VmfMixture& mixture, const MetricRows& rows, const Run& run)
      : rows_(rows), run_(run.quiet()), nearness_(Metric::cosine, rows.cols()) {
    use(mixture);
  }

  void use(const VmfMixture& m) {
    nearness_.use(m.centers_);
    kappa_ = m.kappa_;
    base_.clear();
    for (Index c = 0; c < kappa_.size(); ++c)
      base_.push_back(std::log(m.shares_[c]) + log_scale(rows_.cols(), kappa_[c]));
  }

  /// Calls each(row, logs of share times density of all components) for the rows of a block that are not
  /// zero.
  template <class Each>
  void for_logs(MatrixView x, Index first, Each&& each) const {
    Matrix scratch;
    std::vector<double> logs(kappa_.size());
    nearness_.for_scores(x, scratch, [&](Index r, std::span<const float> cosines) {
      if (rows_.zero(first + r)) return;
      for (Index c = 0; c < logs.size(); ++c) logs[c] = base_[c] + kappa_[c] * cosines[c];
      each(first + r, std::span<double>(logs));
    });
  }

  /// Makes memberships of logs; returns the log of the density.
  static double normalise(std::span<double> logs) {
    const double most = std::ranges::max(logs);
    double sum = 0;
    for (double& v : logs) sum += v = v - most < kNothing ? 0 : std::exp(v - most);
    for (double& v : logs) v /= sum;
    return most + std::log(sum);
  }

  /// Sums over the rows, weighted by membership.
  struct Sums {
    std::vector<double> rows, mass;  // components x d; components
    double log_likelihood = 0, count = 0;
  };

  /// By the mixture's memberships, or by labels where these are given. Without rows' sums if only the
  /// likelihood is asked for.
  Sums sums(const Labels* labels, bool all = true) const {
    const Index grain = std::max<Index>(8 * kBlock, (rows_.rows() + kParts - 1) / kParts);
    const auto make = [&](Index first, Index last) {
      Sums part;
      part.mass.resize(kappa_.size());
      if (all) part.rows.resize(kappa_.size() * rows_.cols());
      RowScratch scratch;
      for (Index i = first; i < last; i += kBlock)
        add_block(part, i, rows_.block(i, std::min(kBlock, last - i), scratch), labels);
      return part;
    };
    return fold_chunks(run_, rows_.rows(), grain, Sums{}, make, [](Sums& total, Sums part) {
      if (total.mass.empty()) return void(total = std::move(part));
      for (Index i = 0; i < total.rows.size(); ++i) total.rows[i] += part.rows[i];
      for (Index c = 0; c < total.mass.size(); ++c) total.mass[c] += part.mass[c];
      total.log_likelihood += part.log_likelihood;
      total.count += part.count;
    });
  }

  Labels labels() const {
    Labels out{std::vector<Label>(rows_.rows(), kNoise), kappa_.size()};
    each_block([&](Index first, MatrixView x) {
      for_logs(x, first, [&](Index row, std::span<double> logs) {
        out.of[row] = static_cast<Label>(std::ranges::max_element(logs) - logs.begin());
      });
    });
    return out;
  }

  Matrix memberships() const {
    Matrix out(rows_.rows(), kappa_.size());
    each_block([&](Index first, MatrixView x) {
      for_logs(x, first, [&](Index row, std::span<double> logs) {
        normalise(logs);
        std::ranges::transform(logs, out[row].begin(), [](double v) { return static_cast<float>(v); });
      });
    });
    return out;
  }

  /// The most likely parameters given the sums.
  static void maximise(VmfMixture& m, const Sums& sums) {
    const Index k = m.centers_.rows(), d = m.centers_.cols();
    double lengths = 0;
    for (Index c = 0; c < k; ++c) {
      const double* sum = sums.rows.data() + c * d;
      const double length = std::sqrt(std::inner_product(sum, sum + d, sum, 0.0));
      lengths += length;
      m.shares_[c] = sums.mass[c] / sums.count;
      if (length < 1e-6) continue;  // no rows, or rows that cancel out
      for (Index j = 0; j < d; ++j) m.centers_[c][j] = static_cast<float>(sum[j] / length);
      m.kappa_[c] = kappa_of(d, length / sums.mass[c]);
    }
    if (m.options_.shared_kappa) std::ranges::fill(m.kappa_, kappa_of(d, lengths / sums.count));
  }

 private:
  template <class Each>
  void each_block(Each&& each) const {
    for_chunks(run_, rows_.rows(), kBlock, [&](Index, Index first, Index last) {
      RowScratch scratch;
      each(first, rows_.block(first, last - first, scratch));
    });
  }

  void add_block(Sums& part, Index first, MatrixView x, const Labels* labels) const {
    const Index k = kappa_.size();
    Matrix memberships(k, x.rows);  // so that its product with the rows is their sums
    const auto add = [&](Index row, Index c, double share) {
      part.mass[c] += share;
      memberships[c][row - first] = static_cast<float>(share);
    };
    if (labels != nullptr) {
      for (Index i = first; i < first + x.rows; ++i)
        if (labels->of[i] != kNoise) add(i, static_cast<Index>(labels->of[i]), 1), ++part.count;
    } else {
      for_logs(x, first, [&](Index row, std::span<double> logs) {
        part.log_likelihood += normalise(logs);
        ++part.count;
        for (Index c = 0; c < k; ++c) add(row, c, logs[c]);
      });
    }
    if (part.rows.empty()) return;
    Matrix product(k, x.cols);
    multiply(memberships.view(), Packed::columns(x), {}, Activation::none, product.span());
    for (Index i = 0; i < part.rows.size(); ++i) part.rows[i] += product.data()[i];
  }

  const MetricRows& rows_;
  Run run_;
  Nearness nearness_;
  std::vector<double> kappa_, base_;  // base: log of share and scale
};

VmfMixture VmfMixture::fit(const Rows& x, const Options& o, const Run& run) {
  check_options(o);
  const auto start =
      SphericalKMeans::fit(x, {.n_clusters = o.n_clusters, .n_init = o.n_init, .seed = o.seed}, run);
  const MetricRows rows(x, Metric::cosine, run);
  VmfMixture m;
  m.options_ = o;
  m.options_.n_init = start.options().n_init;
  m.space_ = x.space();
  m.centers_ = start.cluster_centers();
  m.kappa_.assign(o.n_clusters, 1);
  m.shares_.assign(o.n_clusters, 1.0 / static_cast<double>(o.n_clusters));
  VmfRounds rounds(m, rows, run);
  VmfRounds::maximise(m, rounds.sums(&start.labels()));
  for (;; ++m.n_iter_) {
    rounds.use(m);
    const VmfRounds::Sums sums = rounds.sums(nullptr);
    const double gain = (sums.log_likelihood - m.log_likelihood_) / sums.count;
    m.log_likelihood_ = sums.log_likelihood;
    if (run.progress)
      run.progress("mixture", static_cast<double>(m.n_iter_), static_cast<double>(o.max_iter));
    if (m.n_iter_ == o.max_iter || (m.n_iter_ > 0 && gain < o.tol)) break;
    VmfRounds::maximise(m, sums);
  }
  m.labels_ = rounds.labels();
  return m;
}

Labels VmfMixture::predict(const Rows& x, const Run& run) const {
  check_input(x, centers_.cols(), space_, "the clusters");
  const MetricRows rows(x, Metric::cosine, run);
  return VmfRounds(*this, rows, run).labels();
}

Matrix VmfMixture::memberships(const Rows& x, const Run& run) const {
  check_input(x, centers_.cols(), space_, "the clusters");
  const MetricRows rows(x, Metric::cosine, run);
  return VmfRounds(*this, rows, run).memberships();
}

double VmfMixture::log_likelihood(const Rows& x, const Run& run) const {
  check_input(x, centers_.cols(), space_, "the clusters");
  const MetricRows rows(x, Metric::cosine, run);
  return VmfRounds(*this, rows, run).sums(nullptr, false).log_likelihood;
}

double VmfMixture::bic() const {
  const auto k = static_cast<double>(centers_.rows()), d = static_cast<double>(centers_.cols());
  const auto rows = std::ranges::count_if(labels_.of, [](Label l) { return l != kNoise; });
  const double parameters = k * (d - 1) + (options_.shared_kappa ? 1 : k) + k - 1;
  return -2 * log_likelihood_ + std::log(static_cast<double>(rows)) * parameters;
}

void VmfMixture::save(ArchiveWriter& out) const {
  out.options(list_fields(options_));
  out.space(space_);
  out.add("centers", centers_.view());
  out.add("kappa", std::span<const double>(kappa_));
  out.add("proportions", std::span<const double>(shares_));
  out.add("labels", std::span<const std::int32_t>(labels_.of));
  out.add("log_likelihood", std::span<const double>(&log_likelihood_, 1));
  write_count(out, "n_iter", n_iter_);
}

VmfMixture VmfMixture::load(const ArchiveReader& in) {
  check_kind(in, kind);
  VmfMixture m;
  m.options_ = read_options<Options>(in);
  m.space_ = read_space(in);
  m.centers_ = read_centers(in, "centers", m.options_.n_clusters, Metric::cosine);
  m.kappa_ = read_doubles(in, "kappa", m.options_.n_clusters);
  m.shares_ = read_doubles(in, "proportions", m.options_.n_clusters);
  if (std::ranges::any_of(m.kappa_, [](double v) { return !(v >= kLeast && v <= kMost); }) ||
      std::ranges::any_of(m.shares_, [](double v) { return !(v >= 0 && v <= 1); }))
    throw bad_file(in, "a concentration or a proportion is out of range");
  m.labels_ = read_labels(in, m.options_.n_clusters);
  m.log_likelihood_ = read_doubles(in, "log_likelihood", 1)[0];
  m.n_iter_ = read_count(in, "n_iter");
  return m;
}

}  // namespace shoal
