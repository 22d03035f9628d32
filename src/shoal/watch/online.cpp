#include "shoal/watch/online.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "shoal/cluster/kmeans/spherical_kmeans.h"
#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/linear/norms.h"
#include "shoal/linear/product.h"
#include "shoal/near/exact.h"
#include "shoal/near/select_rows.h"

namespace shoal {
namespace {

constexpr std::array kBets = {-1.5, -0.75, 0.0, 0.75, 1.5};  // slopes of the Simple Jumper
constexpr double kJump = 0.01;                               // share of each stake that is dealt anew
constexpr double kSlope = 1.0;                               // of cusum
constexpr Index kLeastRows = 20;
constexpr Index kSimulated = 1000000;
constexpr double kSimulatedRun = 1000;

/// Scores that came so far, sorted.
class Past {
 public:
  explicit Past(std::vector<double> scores) : sorted_(std::move(scores)) { std::ranges::sort(sorted_); }
  /// Share of all, the new one counted, that is larger; of equal ones a random part. Then the new one is one
  /// of them.
  double p_value(double score, double uniform) {
    const auto [low, high] = std::ranges::equal_range(sorted_, score);
    const auto larger = static_cast<double>(sorted_.end() - high);
    const auto equal = static_cast<double>(high - low) + 1;
    const double p = (larger + uniform * equal) / (static_cast<double>(sorted_.size()) + 1);
    sorted_.insert(high, score);
    return p;
  }

 private:
  std::vector<double> sorted_;
};

class Jumper {
 public:
  Jumper() { start(1); }
  /// Stakes together are `total`, dealt evenly to the bets.
  void start(double total) { stakes_.fill(total / kBets.size()); }
  double update(double p) {
    const double total = std::accumulate(stakes_.begin(), stakes_.end(), 0.0);
    double out = 0;
    for (Index b = 0; b < kBets.size(); ++b) {
      stakes_[b] = (1 - kJump) * stakes_[b] + kJump * total / kBets.size();
      stakes_[b] *= 1 + kBets[b] * (p - 0.5);
      out += stakes_[b];
    }
    return out;
  }

 private:
  std::array<double, kBets.size()> stakes_{};
};

double evidence(double slope, double p) { return std::log(1 + slope * (p - 0.5)); }

}  // namespace

double cusum_threshold(double slope, double run_length, Seed seed) {
  // Far out the run grows as exp(threshold), as the steps are logarithms of likelihood ratios: what is
  // simulated for a shorter run is carried on.
  const Random random(seed);
  std::vector<double> steps;
  for (Index i = 0; i < kSimulated; ++i) steps.push_back(evidence(slope, random.uniform(i)));
  const double wanted = std::min(run_length, kSimulatedRun);
  const auto alarms_at = [&](double threshold) {
    double w = 0, alarms = 0;
    for (const double step : steps) {
      w = std::max(0.0, w + step);
      if (w >= threshold) w = 0, ++alarms;
    }
    return alarms;
  };
  double low = 0, high = 20;
  for (int i = 0; i < 14; ++i) {
    const double middle = (low + high) / 2;
    (alarms_at(middle) * wanted > static_cast<double>(kSimulated) ? low : high) = middle;
  }
  return high + std::log(run_length / wanted);
}

struct OnlineDrift::State {
  OnlineOptions options;
  Rows proper{MatrixView{}};  // the half that is looked at
  Matrix centroids;
  Packed packed;
  std::vector<Past> past;  // of each score: the distance, then the clusters
  std::vector<Jumper> jumpers;
  std::vector<double> charts;  // two a score
  double threshold = 0;
  Index seen = 0;

  /// rows x scores
  std::vector<std::vector<double>> scores_of(const Rows& rows, const Run& run) const;
  Step step(const std::vector<double>& scores);
};

std::vector<std::vector<double>> OnlineDrift::State::scores_of(const Rows& rows, const Run& run) const {
  const Index k = std::min(options.n_neighbors, proper.rows());
  const Neighbours near = nearest(proper, rows, k, Metric::cosine, run.quiet());
  std::vector<std::vector<double>> out(rows.rows());
  Matrix unit = rows.to_matrix();
  unit_rows(unit.span());
  Matrix closeness(rows.rows(), centroids.rows());
  multiply(unit.view(), packed, {}, Activation::none, closeness.span());
  for (Index i = 0; i < rows.rows(); ++i) {
    double sum = 0;
    for (Index j = 0; j < k; ++j) sum += static_cast<double>(near.distance[i * k + j]);
    out[i].push_back(sum / static_cast<double>(k));
    for (const float c : closeness[i]) out[i].push_back(static_cast<double>(c));
  }
  return out;
}

OnlineDrift::Step OnlineDrift::State::step(const std::vector<double>& scores) {
  Step out;
  out.row = ++seen;
  const Random random(options.seed.child(7));
  double stake = 0;
  for (Index s = 0; s < past.size(); ++s) {
    const double p = past[s].p_value(scores[s], random.uniform((out.row - 1) * past.size() + s));
    if (s == 0) out.p_val = p;
    if (options.method == OnlineMethod::martingale) {
      stake += jumpers[s].update(p) / static_cast<double>(past.size());
      out.statistic = stake;
    } else {
      for (const bool up : {false, true}) {
        double& chart = charts[2 * s + up];
        chart = std::max(0.0, chart + evidence(up ? kSlope : -kSlope, p));
        out.statistic = std::max(out.statistic, chart);
      }
    }
  }
  out.alarm = out.statistic >= threshold;
  if (out.alarm) {
    for (Jumper& jumper : jumpers) jumper.start(1);
    std::ranges::fill(charts, 0.0);
  }
  return out;
}

OnlineDrift::OnlineDrift(std::unique_ptr<State> state) : state_(std::move(state)) {}
OnlineDrift::OnlineDrift(OnlineDrift&&) noexcept = default;
OnlineDrift& OnlineDrift::operator=(OnlineDrift&&) noexcept = default;
OnlineDrift::~OnlineDrift() = default;

OnlineDrift OnlineDrift::fit(const Rows& reference, const OnlineOptions& options, const Run& run) {
  check_options(options);
  require(reference.rows() >= kLeastRows, Fault::data,
          "the reference has " + std::to_string(reference.rows()) +
              " rows; watching a stream needs at least " + std::to_string(kLeastRows));
  check_finite(reference, run);
  auto state = std::make_unique<State>();
  State& s = *state;
  s.options = options;
  std::vector<Index> order(reference.rows());
  std::iota(order.begin(), order.end(), Index{0});
  const Random random(options.seed.child(1));
  std::ranges::sort(order, {}, [&](Index i) { return std::pair(random.bits(i), i); });
  const auto middle = order.begin() + static_cast<std::ptrdiff_t>(order.size() / 2);
  s.proper = select_rows(reference, {order.begin(), middle});
  const Rows others = select_rows(reference, {middle, order.end()});
  SphericalKMeansOptions k;
  k.n_clusters = std::min(options.n_clusters, std::max<Index>(1, s.proper.rows() / 10));
  k.n_init = 1;
  k.seed = options.seed.child(2);
  try {
    s.centroids = SphericalKMeans::fit(s.proper, k, run.quiet()).cluster_centers();
  } catch (const Error& e) {
    if (e.fault != Fault::data) throw;
    k.n_clusters = 1;  // too few different rows
    s.centroids = SphericalKMeans::fit(s.proper, k, run.quiet()).cluster_centers();
  }
  s.packed = Packed::rows(s.centroids);
  std::vector<std::vector<double>> by_score(1 + s.centroids.rows());
  for (const auto& scores : s.scores_of(others, run))
    for (Index i = 0; i < scores.size(); ++i) by_score[i].push_back(scores[i]);
  for (auto& scores : by_score) s.past.emplace_back(std::move(scores));
  s.jumpers.resize(s.past.size());
  s.charts.resize(2 * s.past.size());
  s.threshold =
      options.method == OnlineMethod::martingale
          ? 1 / options.false_alarm
          : cusum_threshold(kSlope,
                            static_cast<double>(options.run_length) * static_cast<double>(s.charts.size()),
                            options.seed.child(3));
  return OnlineDrift(std::move(state));
}

std::vector<OnlineDrift::Step> OnlineDrift::update(const Rows& rows, const Run& run) {
  check_input(rows, state_->proper.cols(), state_->proper.space(), "the reference");
  std::vector<Step> out;
  for (const auto& scores : state_->scores_of(rows, run)) out.push_back(state_->step(scores));
  return out;
}
double OnlineDrift::threshold() const { return state_->threshold; }
Index OnlineDrift::scores() const { return state_->past.size(); }

}  // namespace shoal
