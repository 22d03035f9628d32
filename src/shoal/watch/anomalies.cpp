#include "shoal/watch/anomalies.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/kernels/kernels.h"
#include "shoal/linear/norms.h"
#include "shoal/linear/product.h"
#include "shoal/linear/symmetric_eigen.h"
#include "shoal/near/exact.h"

namespace shoal {
namespace {

constexpr double kShrinkage = 0.01;  // of the covariance, towards a sphere
constexpr double kVariance = 0.5;    // that the leading components have
constexpr Index kRowsAtOnce = 256;

Matrix unit_copy(const Rows& x) {
  Matrix out = x.to_matrix();
  unit_rows(out.span());
  return out;
}

/// Place of each value among all, 0..1; equal ones share the mean of their places.
std::vector<double> ranks(const std::vector<double>& values) {
  std::vector<Index> order(values.size());
  std::iota(order.begin(), order.end(), Index{0});
  std::ranges::sort(order, {}, [&](Index i) { return std::pair(values[i], i); });
  std::vector<double> out(values.size());
  for (Index i = 0; i < order.size();) {
    Index end = i;
    while (end < order.size() && values[order[end]] == values[order[i]]) ++end;
    const double rank = (static_cast<double>(i + end) - 1) / 2 + 0.5;
    for (; i < end; ++i) out[order[i]] = rank / static_cast<double>(values.size());
  }
  return out;
}

double mean_of(const float* first, Index count) {
  double sum = 0;
  for (Index j = 0; j < count; ++j) sum += static_cast<double>(first[j]);
  return sum / static_cast<double>(count);
}

/// 1 / the mean distance at which a row is reached from its neighbours, none nearer than each one's own k-th.
double density(const std::vector<double>& reach) {
  double sum = 0;
  for (const double r : reach) sum += r;
  return 1 / (sum / static_cast<double>(reach.size()) + 1e-10);
}

}  // namespace

struct Anomalies::State {
  AnomalyOptions options;
  Rows x{MatrixView{}};
  std::vector<Label> cluster;  // of each row
  Neighbours near;
  std::vector<double> densities;  // of lof, of each row
  std::vector<float> mean;        // of rows of length 1
  Packed whitening, leading;
  Matrix centroids;           // of length 1
  std::vector<double> usual;  // distance of each cluster's rows to its centroid, the median
  std::vector<std::vector<double>> scores;

  Index k() const { return std::min(options.n_neighbors, near.k); }
  void fit_space(const Matrix& unit, const Run& run);
  void fit_clusters(const Matrix& unit, const Labels& clusters);
  /// mahalanobis, reconstruction and cluster of rows of length 1. own: their clusters, or kNoise.
  void score_alone(const Matrix& unit, const std::vector<Label>& own, const Run& run,
                   std::vector<std::vector<double>>& out) const;
};

void Anomalies::State::fit_space(const Matrix& unit, const Run& run) {
  const Index d = unit.cols();
  for (const double m : column_means(Rows(unit), run)) mean.push_back(static_cast<float>(m));
  std::vector<double> covariance = gram(Rows(unit), mean, run);
  for (double& v : covariance) v /= static_cast<double>(unit.rows());
  const EigenPairs eigen = symmetric_eigen(covariance, d);
  double trace = 0;
  for (const double v : eigen.values) trace += std::max(0.0, v);
  Matrix white(d, d);
  Index kept = 0;
  double sum = 0;
  for (Index c = 0; c < d; ++c) {
    const double own = std::max(0.0, eigen.values[c]);
    const double variance = (1 - kShrinkage) * own + kShrinkage * trace / static_cast<double>(d);
    const double scale = variance > 0 ? 1 / std::sqrt(variance) : 0;
    for (Index j = 0; j < d; ++j) white[c][j] = static_cast<float>(eigen.vectors[c * d + j] * scale);
    if (sum < kVariance * trace) sum += own, ++kept;
  }
  kept = std::max<Index>(kept, 1);
  Matrix components(kept, d);
  for (Index c = 0; c < kept; ++c)
    for (Index j = 0; j < d; ++j) components[c][j] = static_cast<float>(eigen.vectors[c * d + j]);
  whitening = Packed::rows(white);
  leading = Packed::rows(components);
}

void Anomalies::State::fit_clusters(const Matrix& unit, const Labels& clusters) {
  const Index k = std::max<Index>(1, clusters.count);
  std::vector<std::vector<double>> sums(k, std::vector<double>(unit.cols()));
  const auto label_of = [&](Index i) { return clusters.of.empty() ? Label{0} : clusters.of[i]; };
  for (Index i = 0; i < unit.rows(); ++i)
    if (label_of(i) != kNoise)
      for (Index j = 0; j < unit.cols(); ++j)
        sums[static_cast<Index>(label_of(i))][j] += static_cast<double>(unit[i][j]);
  centroids = Matrix(k, unit.cols());
  for (Index c = 0; c < k; ++c)
    for (Index j = 0; j < unit.cols(); ++j) centroids[c][j] = static_cast<float>(sums[c][j]);
  unit_rows(centroids.span());
  std::vector<std::vector<double>> distances(k);
  for (Index i = 0; i < unit.rows(); ++i)
    if (label_of(i) != kNoise) {
      const auto c = static_cast<Index>(label_of(i));
      distances[c].push_back(
          1 - static_cast<double>(kernels().dot(unit[i].data(), centroids[c].data(), unit.cols())));
    }
  for (auto& of_cluster : distances) {
    if (of_cluster.empty()) {
      usual.push_back(1);
      continue;
    }
    const auto middle = of_cluster.begin() + static_cast<std::ptrdiff_t>(of_cluster.size() / 2);
    std::ranges::nth_element(of_cluster, middle);
    usual.push_back(std::max(*middle, 1e-6));
  }
}

void Anomalies::State::score_alone(const Matrix& unit, const std::vector<Label>& own, const Run& run,
                                   std::vector<std::vector<double>>& out) const {
  const Packed packed_centroids = Packed::rows(centroids);
  auto &far = out[static_cast<Index>(AnomalyScore::mahalanobis)],
       &off = out[static_cast<Index>(AnomalyScore::reconstruction)],
       &from_cluster = out[static_cast<Index>(AnomalyScore::cluster)];
  for (auto* of : {&far, &off, &from_cluster}) of->resize(unit.rows());
  for_chunks(run, unit.rows(), kRowsAtOnce, [&](Index, Index first, Index last) {
    const Index n = last - first;
    Matrix centred(n, unit.cols()), white(n, whitening.outputs()), in_plane(n, leading.outputs()),
        closeness(n, centroids.rows());
    for (Index i = 0; i < n; ++i)
      for (Index j = 0; j < unit.cols(); ++j) centred[i][j] = unit[first + i][j] - mean[j];
    multiply(centred.view(), whitening, {}, Activation::none, white.span());
    multiply(centred.view(), leading, {}, Activation::none, in_plane.span());
    multiply(unit.view().slice(first, n), packed_centroids, {}, Activation::none, closeness.span());
    const auto squared = [](std::span<const float> v) {
      return static_cast<double>(kernels().dot(v.data(), v.data(), v.size()));
    };
    for (Index i = 0; i < n; ++i) {
      far[first + i] = squared(white[i]);
      off[first + i] = std::max(0.0, squared(centred[i]) - squared(in_plane[i]));
      const Label label = own[first + i];
      const Index c = label != kNoise
                          ? static_cast<Index>(label)
                          : static_cast<Index>(std::ranges::max_element(closeness[i]) - closeness[i].begin());
      from_cluster[first + i] = (1 - static_cast<double>(closeness[i][c])) / usual[c];
    }
  });
}

Anomalies::Anomalies(std::unique_ptr<State> state) : state_(std::move(state)) {}
Anomalies::Anomalies(Anomalies&&) noexcept = default;
Anomalies::~Anomalies() = default;

Anomalies Anomalies::fit(const Rows& x, const Labels& clusters, const AnomalyOptions& options,
                         const Run& run) {
  check_options(options);
  require(x.rows() >= 3, Fault::data,
          "there are " + std::to_string(x.rows()) + " rows; what is strange among others needs at least 3");
  if (!clusters.of.empty()) check_labels(clusters, x.rows());
  auto state = std::make_unique<State>();
  State& s = *state;
  s.options = options;
  s.x = x;
  const Index n = x.rows(), k = std::min(std::max(options.n_neighbors, options.lof_neighbors), n - 1);
  s.near = nearest_neighbours(x, k, Metric::cosine, run);
  if (run.progress) run.progress("score", 0, 1);
  s.scores.resize(kAnomalyScores);
  const Index of_lof = std::min(options.lof_neighbors, k);
  auto &knn = s.scores[static_cast<Index>(AnomalyScore::knn)],
       &lof = s.scores[static_cast<Index>(AnomalyScore::lof)];
  s.densities.resize(n);
  std::vector<double> reach(of_lof);
  for (Index i = 0; i < n; ++i) {
    knn.push_back(mean_of(s.near.distance.data() + i * k, s.k()));
    for (Index j = 0; j < of_lof; ++j) {
      const Index other = s.near.id[i * k + j];
      reach[j] =
          static_cast<double>(std::max(s.near.distance[i * k + j], s.near.distance[other * k + of_lof - 1]));
    }
    s.densities[i] = density(reach);
  }
  for (Index i = 0; i < n; ++i) {
    double sum = 0;
    for (Index j = 0; j < of_lof; ++j) sum += s.densities[s.near.id[i * k + j]];
    lof.push_back(sum / static_cast<double>(of_lof) / s.densities[i]);
  }
  const Matrix unit = unit_copy(x);
  s.fit_space(unit, run);
  s.fit_clusters(unit, clusters);
  s.cluster = clusters.of.empty() ? std::vector<Label>(n, 0) : clusters.of;
  s.score_alone(unit, s.cluster, run, s.scores);
  const std::vector<double> a = ranks(knn), b = ranks(lof);
  for (Index i = 0; i < n; ++i)
    s.scores[static_cast<Index>(AnomalyScore::knn_lof)].push_back((a[i] + b[i]) / 2);
  if (run.progress) run.progress("score", 1, 1);
  return Anomalies(std::move(state));
}

const std::vector<double>& Anomalies::scores(AnomalyScore score) const& {
  return state_->scores[static_cast<Index>(score)];
}
const Neighbours& Anomalies::neighbours() const& { return state_->near; }

std::vector<double> Anomalies::percentiles(AnomalyScore score) const {
  return ranks(state_->scores[static_cast<Index>(score)]);
}

std::vector<std::vector<double>> Anomalies::all_scores_with(const Rows& others, const Run& run) const {
  const State& s = *state_;
  const Index n = s.x.rows(), m = others.rows(), k = s.near.k;
  const Index of_lof = std::min(s.options.lof_neighbors, k);
  std::vector<std::vector<double>> theirs(kAnomalyScores), alone(kAnomalyScores);
  const Matrix unit = unit_copy(others);
  {
    // Scores that rest on the covariance are of all rows together, as it would be if the others were there.
    Matrix all(n + m, unit.cols());
    const Matrix mine = unit_copy(s.x);
    std::copy_n(mine.data(), n * unit.cols(), all.data());
    std::copy_n(unit.data(), m * unit.cols(), all.data() + n * unit.cols());
    State together;
    together.centroids = s.centroids;
    together.usual = s.usual;
    together.fit_space(all, run.quiet());
    std::vector<Label> own = s.cluster;
    own.resize(n + m, kNoise);
    together.score_alone(all, own, run.quiet(), alone);
  }
  // Their neighbours: rows of the fit, numbered as there, and each other, from n on.
  const Neighbours in_fit = nearest(s.x, others, k, Metric::cosine, run.quiet());
  std::vector<std::vector<std::pair<float, Index>>> near(m);
  for (Index i = 0; i < m; ++i) {
    for (Index j = 0; j < k; ++j) near[i].emplace_back(in_fit.distance[i * k + j], in_fit.id[i * k + j]);
    for (Index other = 0; other < m; ++other)
      if (other != i)
        near[i].emplace_back(
            std::max(0.0f, 1 - kernels().dot(unit[i].data(), unit[other].data(), unit.cols())), n + other);
    std::ranges::sort(near[i]);
    near[i].resize(k);
  }
  const auto farthest = [&](Index row) {
    return row < n ? s.near.distance[row * k + of_lof - 1] : near[row - n][of_lof - 1].first;
  };
  std::vector<double> densities(m), reach(of_lof);
  for (Index i = 0; i < m; ++i) {
    double sum = 0;
    for (Index j = 0; j < s.k(); ++j) sum += static_cast<double>(near[i][j].first);
    theirs[static_cast<Index>(AnomalyScore::knn)].push_back(sum / static_cast<double>(s.k()));
    for (Index j = 0; j < of_lof; ++j)
      reach[j] = static_cast<double>(std::max(near[i][j].first, farthest(near[i][j].second)));
    densities[i] = density(reach);
  }
  for (Index i = 0; i < m; ++i) {
    double sum = 0;
    for (Index j = 0; j < of_lof; ++j) {
      const Index other = near[i][j].second;
      sum += other < n ? s.densities[other] : densities[other - n];
    }
    theirs[static_cast<Index>(AnomalyScore::lof)].push_back(sum / static_cast<double>(of_lof) / densities[i]);
  }
  std::vector<std::vector<double>> out = s.scores;
  for (Index score = 0; score < kAnomalyScores; ++score)
    if (!alone[score].empty())
      out[score] = std::move(alone[score]);
    else
      out[score].insert(out[score].end(), theirs[score].begin(), theirs[score].end());
  const std::vector<double> a = ranks(out[static_cast<Index>(AnomalyScore::knn)]),
                            b = ranks(out[static_cast<Index>(AnomalyScore::lof)]);
  auto& both = out[static_cast<Index>(AnomalyScore::knn_lof)];
  both.resize(n + m);
  for (Index i = 0; i < n + m; ++i) both[i] = (a[i] + b[i]) / 2;
  return out;
}

double average_precision(const std::vector<double>& scores, Index planted) {
  if (planted == 0) return std::numeric_limits<double>::quiet_NaN();
  std::vector<Index> order(scores.size());
  std::iota(order.begin(), order.end(), Index{0});
  std::ranges::sort(order, {}, [&](Index i) { return std::pair(-scores[i], i); });
  const Index first_planted = scores.size() - planted;
  double found = 0, out = 0;
  for (Index i = 0; i < order.size();) {
    Index end = i, here = 0;
    for (; end < order.size() && scores[order[end]] == scores[order[i]]; ++end)
      here += order[end] >= first_planted;
    // All of one score are taken at once.
    found += static_cast<double>(here);
    out += static_cast<double>(here) * found / static_cast<double>(end);
    i = end;
  }
  return out / static_cast<double>(planted);
}

}  // namespace shoal
