#include "shoal/watch/lifetime.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <string>

#include "shoal/classify/logistic.h"
#include "shoal/cluster/kmeans/spherical_kmeans.h"
#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/linear/norms.h"
#include "shoal/linear/product.h"
#include "shoal/near/exact.h"
#include "shoal/near/select_rows.h"

namespace shoal {
namespace {

constexpr Index kLeastRows = 20, kLeastWindows = 3;
constexpr Index kRowsACluster = 30, kMostClusters = 50;
constexpr Index kRowsOfModels = 1000, kMostModels = 8;  // of a window's models together
constexpr Index kFolds = 3;
constexpr double kUnlike = 0.05;       // share of held-out rows that are unlike
constexpr double kSizeQuantile = 0.1;  // of the windows' sizes: smaller ones are passed over
constexpr double kC = 10;              // of logistic regression
constexpr Index kMeasures = 4;
constexpr Index kLeastPairs = 3;

/// What is fitted on a window.
struct Model {
  Matrix centroids;
  double limit = 0;  // distance beyond which a row is unlike
  std::optional<Logistic> logistic;
};

/// The rows of a window, and what its own models need.
struct Window {
  Index number = 0;
  double start = 0, end = 0;
  Rows rows{MatrixView{}};
  Labels labels;                       // of rows; empty: none
  std::vector<std::uint32_t> nearest;  // of each row
  std::vector<Model> models;           // of several draws of its rows
};

/// The first `count` of a window's rows in an order drawn at random.
std::vector<Index> drawn(std::vector<Index> rows, Index count, Seed seed) {
  if (rows.size() <= count) return rows;
  const Random random(seed);
  std::ranges::sort(rows, {}, [&](Index i) { return std::pair(random.bits(i), i); });
  rows.resize(count);
  std::ranges::sort(rows);
  return rows;
}

Matrix cosines(const Matrix& centroids, const Rows& x, const Run& run) {
  const Packed packed = Packed::rows(centroids);
  Matrix out(x.rows(), centroids.rows());
  for_chunks(run, x.rows(), 256, [&](Index, Index first, Index last) {
    Matrix scratch;
    const MatrixView block = x.block(first, last - first, scratch);
    Matrix unit(block.rows, block.cols);
    for (Index i = 0; i < block.rows; ++i) std::ranges::copy(block[i], unit[i].begin());
    unit_rows(unit.span());
    multiply(unit.view(), packed, {}, Activation::none,
             MatrixSpan{out[first].data(), last - first, out.cols(), out.cols()});
  });
  return out;
}

Matrix centroids_of(const Rows& x, Index n_clusters, Seed seed, const Run& run) {
  SphericalKMeansOptions k;
  k.n_clusters = n_clusters;
  k.n_init = 1;
  k.seed = seed;
  return SphericalKMeans::fit(x, k, run).cluster_centers();
}

/// A model that is fitted on `rows`.
Model fit_model(const Rows& rows, const Labels& labels, Index n_clusters, Seed seed, const Run& run) {
  Model model;
  model.centroids = centroids_of(rows, n_clusters, seed, run);
  // Distances of rows that were held out.
  std::vector<float> distances;
  const Random random(seed);
  for (Index fold = 0; fold < kFolds; ++fold) {
    std::vector<Index> in, out;
    for (Index i = 0; i < rows.rows(); ++i) (random.below(i, kFolds) == fold ? out : in).push_back(i);
    const Matrix centroids =
        centroids_of(select_rows(rows, in), std::min(n_clusters, in.size() / 2), seed, run);
    const Matrix closeness = cosines(centroids, select_rows(rows, out), run);
    for (Index i = 0; i < closeness.rows(); ++i) distances.push_back(1 - std::ranges::max(closeness[i]));
  }
  std::ranges::sort(distances);
  model.limit = static_cast<double>(
      distances[static_cast<Index>((1 - kUnlike) * static_cast<double>(distances.size() - 1))]);
  if (labels.of.empty()) return model;
  std::set<Label> different(labels.of.begin(), labels.of.end());
  different.erase(kNoise);
  if (different.size() >= 2) model.logistic = Logistic::fit(rows, labels, {.c = kC}, run);
  return model;
}

struct Qualities {
  double of[kMeasures] = {};
};

Qualities judge(const Model& model, const Window& on, const Run& run) {
  const Matrix closeness = cosines(model.centroids, on.rows, run);
  Qualities out;
  std::vector<Index> own(closeness.rows());
  double margin = 0, like = 0;
  for (Index i = 0; i < closeness.rows(); ++i) {
    float first = -2, second = -2;
    for (Index c = 0; c < closeness.cols(); ++c) {
      const float v = closeness[i][c];
      if (v > first) {
        second = first, first = v, own[i] = c;
      } else if (v > second) {
        second = v;
      }
    }
    margin += static_cast<double>(first) - static_cast<double>(second);
    like += 1 - static_cast<double>(first) <= model.limit;
  }
  double agree = 0;
  for (Index i = 0; i < own.size(); ++i) agree += own[i] == own[on.nearest[i]];
  const auto n = static_cast<double>(own.size());
  out.of[static_cast<Index>(LifetimeMeasure::unlike)] = like / n;
  out.of[static_cast<Index>(LifetimeMeasure::margin)] = margin / n;
  out.of[static_cast<Index>(LifetimeMeasure::agreement)] = agree / n;
  if (model.logistic) {
    const Labels predicted = model.logistic->predict(on.rows, run);
    double right = 0, all = 0;
    for (Index i = 0; i < predicted.of.size(); ++i)
      if (on.labels.of[i] != kNoise) right += predicted.of[i] == on.labels.of[i], ++all;
    out.of[0] = all > 0 ? right / all : std::numeric_limits<double>::quiet_NaN();
  } else {
    out.of[0] = std::numeric_limits<double>::quiet_NaN();
  }
  return out;
}

/// The mean of a window's models: one alone, of few rows, is good or bad by chance.
Qualities judge(const Window& window, const Window& on, const Run& run) {
  Qualities out;
  std::array<double, kMeasures> known{};
  for (const Model& model : window.models) {
    const Qualities one = judge(model, on, run);
    for (Index m = 0; m < kMeasures; ++m)
      if (std::isfinite(one.of[m])) out.of[m] += one.of[m], ++known[m];
  }
  for (Index m = 0; m < kMeasures; ++m)
    out.of[m] = known[m] > 0 ? out.of[m] / known[m] : std::numeric_limits<double>::quiet_NaN();
  return out;
}

/// Regrets of pairs of windows, by how many windows lie between.
struct Regret {
  Index model = 0, on = 0;  // places among the windows that are used
  double age = 0, loss = 0;
};

/// The mean of the regrets at each number of windows between, of those with pairs enough, among the first
/// `windows`.
void average(const std::vector<Regret>& regrets, Index windows, std::vector<LossAtAge>& losses,
             std::vector<Index>& pairs) {
  struct Sum {
    double age = 0, loss = 0;
    Index count = 0;
  };
  std::map<Index, Sum> by_lag;
  for (const Regret& r : regrets) {
    if (r.on >= windows) continue;
    Sum& sum = by_lag[r.on - r.model];
    sum.age += r.age, sum.loss += r.loss, ++sum.count;
  }
  const Index least = by_lag.size() >= 8 ? kLeastPairs : 1;
  for (const auto& [lag, sum] : by_lag) {
    if (sum.count < least) continue;
    const auto n = static_cast<double>(sum.count);
    if (!losses.empty() && sum.age / n <= losses.back().age) continue;  // windows with gaps
    losses.push_back({sum.age / n, sum.loss / n});
    pairs.push_back(sum.count);
  }
}

}  // namespace

LifetimeResult lifetime(const Rows& x, const Labels& window, const std::vector<double>& starts,
                        const Labels& labels, const LifetimeOptions& options, const Run& run) {
  check_options(options);
  check_labels(window, x.rows());
  require(starts.size() == window.count, Fault::argument,
          "there are " + std::to_string(starts.size()) + " starts of " + std::to_string(window.count) +
              " windows");
  if (!labels.of.empty()) check_labels(labels, x.rows());
  check_finite(x, run);
  std::vector<std::vector<Index>> rows(window.count);
  for (Index i = 0; i < x.rows(); ++i)
    if (window.of[i] != kNoise) rows[static_cast<Index>(window.of[i])].push_back(i);
  std::vector<Index> sizes;
  for (const auto& of : rows)
    if (of.size() >= kLeastRows) sizes.push_back(of.size());
  require(sizes.size() >= kLeastWindows, Fault::data,
          std::to_string(sizes.size()) + " windows have at least " + std::to_string(kLeastRows) + " rows; " +
              std::to_string(kLeastWindows) + " are needed");
  std::ranges::sort(sizes);
  LifetimeResult out;
  out.rows_a_model = std::min(
      options.max_rows, sizes[static_cast<Index>(kSizeQuantile * static_cast<double>(sizes.size() - 1))]);
  out.clusters =
      options.n_clusters.value_or(std::clamp<Index>(out.rows_a_model / kRowsACluster, 2, kMostClusters));
  require(2 * out.clusters <= out.rows_a_model, Fault::argument,
          option_name("n_clusters") + " is " + std::to_string(out.clusters) + "; a model is fitted on " +
              std::to_string(out.rows_a_model) + " rows, two a cluster at least");

  // Each window's rows and its models.
  const Index n_models = std::clamp<Index>(kRowsOfModels / out.rows_a_model, 1, kMostModels);
  std::vector<Window> windows;
  for (Index w = 0; w < window.count; ++w) {
    if (rows[w].size() < out.rows_a_model) continue;
    Window& own = windows.emplace_back();
    own.number = w;
    own.start = starts[w];
    own.end = w + 1 < starts.size() ? starts[w + 1] : starts[w];
    const auto labels_of = [&](const std::vector<Index>& which) {
      Labels those{{}, labels.count};
      if (!labels.of.empty())
        for (const Index i : which) those.of.push_back(labels.of[i]);
      return those;
    };
    const std::vector<Index> judged = drawn(rows[w], options.max_rows, options.seed.child(1));
    own.rows = Rows(select_rows(x, judged).to_matrix(), x.space());
    own.labels = labels_of(judged);
    own.nearest = nearest_neighbours(own.rows, 1, Metric::cosine, run.quiet()).id;
    try {
      for (Index m = 0; m < n_models; ++m) {
        const std::vector<Index> fitted = drawn(rows[w], out.rows_a_model, options.seed.child(2).child(m));
        own.models.push_back(fit_model(Rows(select_rows(x, fitted).to_matrix(), x.space()), labels_of(fitted),
                                       out.clusters, options.seed.child(3).child(m), run.quiet()));
      }
    } catch (const Error& e) {
      if (e.fault != Fault::data) throw;
      ++out.without_model;  // too few different rows
      windows.pop_back();
    }
    if (run.progress) run.progress("windows", static_cast<double>(w + 1), static_cast<double>(window.count));
    check_stop(run);
  }
  out.windows = windows.size();
  require(windows.size() >= kLeastWindows, Fault::data,
          std::to_string(windows.size()) + " windows have at least " + std::to_string(out.rows_a_model) +
              " rows" +
              (out.without_model > 0 ? " and different ones enough for " + std::to_string(out.clusters) +
                                           " clusters (" + std::to_string(out.without_model) + " have not)"
                                     : "") +
              "; " + std::to_string(kLeastWindows) + " are needed");

  std::vector<std::vector<Regret>> regrets(kMeasures);
  for (Index on = 2; on < windows.size(); ++on) {
    check_stop(run);
    const Qualities fresh = judge(windows[on - 1], windows[on], run.quiet());
    for (Index model = 0; model + 1 < on; ++model) {
      const Qualities old = judge(windows[model], windows[on], run.quiet());
      for (Index m = 0; m < kMeasures; ++m) {
        const double loss = fresh.of[m] - old.of[m];
        if (std::isfinite(loss))
          regrets[m].push_back({model, on, windows[on].start - windows[model].end, loss});
      }
    }
  }

  for (Index m = 0; m < kMeasures; ++m) {
    if (regrets[m].empty()) continue;
    LossCurve& curve = out.curves.emplace_back();
    curve.measure = static_cast<LifetimeMeasure>(m);
    average(regrets[m], windows.size(), curve.losses, curve.pairs);
    curve.lifetime = fit_lifetime(curve.losses, options.loss, options.confidence, options.seed.child(4));
    // As it would have been said earlier, against what came.
    std::vector<LossAtAge> earlier;
    std::vector<Index> pairs;
    average(regrets[m], (2 * windows.size() + 2) / 3, earlier, pairs);
    const Index last = std::max<Index>(1, curve.losses.size() / 5);
    double age = 0;
    for (Index i = curve.losses.size() - last; i < curve.losses.size(); ++i) {
      age += curve.losses[i].age / static_cast<double>(last);
      curve.later_loss += curve.losses[i].loss / static_cast<double>(last);
    }
    if (earlier.size() < 5) continue;
    curve.earlier = fit_lifetime(earlier, options.loss, options.confidence, options.seed.child(4), age);
    curve.earlier_low = curve.earlier->loss_low;
    curve.earlier_high = curve.earlier->loss_high;
    curve.held = curve.later_loss >= curve.earlier_low && curve.later_loss <= curve.earlier_high;
  }
  return out;
}

}  // namespace shoal
