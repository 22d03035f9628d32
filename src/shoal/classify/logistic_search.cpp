#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "shoal/classify/logistic_search_impl.h"
#include "shoal/core/chunks.h"
#include "shoal/linear/norms.h"
#include "shoal/linear/product.h"
#include "shoal/near/centroids_impl.h"
#include "shoal/near/select_rows.h"
#include "shoal/reduce/standardise.h"

namespace shoal {
namespace {

constexpr Index kMostSolved = 1024;   // columns: beyond, a factor costs more than the steps that it saves
constexpr Index kMostSampled = 8192;  // rows whose covariance shapes the coordinates

/// Rows at equal distances, at most kMostSampled.
Rows sample(const Rows& x) {
  const Index step = chunk_count(x.rows(), kMostSampled);
  std::vector<Index> chosen;
  for (Index i = 0; i < x.rows(); i += step) chosen.push_back(i);
  return select_rows(x, std::move(chosen));
}

}  // namespace

std::vector<double> class_weights(const Labels& labels, bool balanced) {
  const std::vector<Index> sizes = label_sizes(labels);
  const auto all = static_cast<double>(std::accumulate(sizes.begin(), sizes.end(), Index{0}));
  std::vector<double> weight(labels.count, 1.0);
  if (balanced)
    for (Index c = 0; c < sizes.size(); ++c)
      weight[c] = all / (static_cast<double>(sizes.size()) * static_cast<double>(sizes[c]));
  return weight;
}

LogisticTask softmax_task(const Rows& x, const Labels& labels, std::span<const double> weight,
                          const LogisticOptions& options, const Run& run) {
  LogisticTask task;
  task.loss = softmax_loss(labels.of, weight);
  task.means = centroids(x, Metric::euclidean, labels, run);
  const auto classes = static_cast<double>(labels.count);
  task.curvature.assign(labels.count, (1 - 1 / classes) / classes);
  const std::vector<Index> sizes = label_sizes(labels);
  for (Index c = 0; c < sizes.size(); ++c) task.total_weight += static_cast<double>(sizes[c]) * weight[c];
  task.penalty = 1 / (options.c * task.total_weight);
  task.max_iter = options.max_iter;
  return task;
}

LogisticSearch::LogisticSearch(const Rows& x, LogisticTask task, const Run& run)
    : x_(x),
      task_(std::move(task)),
      run_(run),
      cols_(x.cols()),
      weights_(outputs() * x.cols()),
      coefficients_(outputs(), x.cols()),
      intercepts_(outputs()) {
  find_coordinates();
}

void LogisticSearch::find_coordinates() {
  for (const double s : task_.curvature) intercept_scale_.push_back(1 / std::sqrt(s));
  const std::vector<double> mean = column_means(x_, run_);
  for (Index c = 0; c < outputs(); ++c)
    for (Index j = 0; j < cols_; ++j)
      centres_.push_back(0.5 * (mean[j] + static_cast<double>(task_.means[c][j])));

  const Rows some = sample(x_);
  const std::vector<float> shift(mean.begin(), mean.end());
  const auto n = static_cast<double>(some.rows());
  std::vector<double> covariance, variance;
  if (cols_ > kMostSolved) {
    Standardise scale;
    scale.update(some, run_);
    variance = scale.variance();
  } else {
    covariance = gram(some, shift, run_);
    for (double& v : covariance) v /= n;
  }
  std::vector<double> bands;  // the curvature of each
  for (const double s : task_.curvature) {
    const auto fits = [&](double other) { return s <= 2 * other && other <= 2 * s; };
    const auto found = std::ranges::find_if(bands, fits);
    band_.push_back(static_cast<Index>(found - bands.begin()));
    if (found == bands.end()) bands.push_back(s);
  }
  for (const double s : bands) {
    if (!variance.empty()) {
      auto& diagonal = diagonals_.emplace_back();
      for (const double v : variance) diagonal.push_back(std::sqrt(s * v + task_.penalty));
      continue;
    }
    std::vector<double> hessian = covariance;
    for (double& v : hessian) v *= s;
    double trace = 0;
    for (Index j = 0; j < cols_; ++j) trace += hessian[j * cols_ + j] += task_.penalty;
    factors_.emplace_back(std::move(hessian), cols_, 1e-12 * trace / static_cast<double>(cols_));
  }
}

void LogisticSearch::solve_for_weights(Index output, std::span<double> w) const {
  if (diagonals_.empty()) return factors_[band_[output]].solve_transposed(w);
  const auto& diagonal = diagonals_[band_[output]];
  for (Index j = 0; j < cols_; ++j) w[j] /= diagonal[j];
}

void LogisticSearch::solve_for_gradient(Index output, std::span<double> g) const {
  if (diagonals_.empty()) return factors_[band_[output]].solve_lower(g);
  solve_for_weights(output, g);
}

std::vector<double> LogisticSearch::coordinates(const Matrix& coefficients,
                                                std::span<const float> intercepts) const {
  std::vector<double> at(size());
  for_chunks(run_, outputs(), 8, [&](Index, Index first, Index last) {
    for (Index c = first; c < last; ++c) {
      const std::span<double> to(at.data() + c * (cols_ + 1), cols_);
      std::ranges::copy(coefficients[c], to.begin());
      const std::span<const double> m = centre(c);
      const double logit =
          static_cast<double>(intercepts[c]) + std::inner_product(to.begin(), to.end(), m.begin(), 0.0);
      at[c * (cols_ + 1) + cols_] = logit / intercept_scale_[c];
      if (diagonals_.empty()) {
        factors_[band_[c]].multiply_transposed(to);
      } else {
        for (Index j = 0; j < cols_; ++j) to[j] *= diagonals_[band_[c]][j];
      }
    }
  });
  return at;
}

void LogisticSearch::place(std::span<const double> at) {
  for_chunks(run_, outputs(), 8, [&](Index, Index first, Index last) {
    for (Index c = first; c < last; ++c) {
      const std::span<double> w(weights_.data() + c * cols_, cols_);
      const std::span<const double> from = at.subspan(c * (cols_ + 1), cols_ + 1);
      std::ranges::copy(from.first(cols_), w.begin());
      solve_for_weights(c, w);
      for (Index j = 0; j < cols_; ++j) coefficients_[c][j] = static_cast<float>(w[j]);
      const std::span<const double> m = centre(c);
      intercepts_[c] = static_cast<float>(intercept_scale_[c] * from[cols_] -
                                          std::inner_product(w.begin(), w.end(), m.begin(), 0.0));
    }
  });
}

Slope LogisticSearch::operator()(std::span<const double> at, std::span<double> gradient) {
  if (run_.progress)
    run_.progress("logistic regression", static_cast<double>(evaluations_),
                  static_cast<double>(task_.max_iter));
  ++evaluations_;
  place(at);
  const LossSums sums = loss_sums(x_, coefficients_, intercepts_, task_.loss, run_);
  std::vector<double> steepest(outputs()), squares(outputs());
  for_chunks(run_, outputs(), 8, [&](Index, Index first, Index last) {
    for (Index c = first; c < last; ++c) {
      const std::span<double> g = gradient.subspan(c * (cols_ + 1), cols_);
      const double error = sums.errors[c] / task_.total_weight;
      steepest[c] = std::abs(error);
      for (Index j = 0; j < cols_; ++j) {
        const double w = weights_[c * cols_ + j];
        g[j] = sums.products[c * cols_ + j] / task_.total_weight + task_.penalty * w;
        steepest[c] = std::max(steepest[c], std::abs(g[j]));
        squares[c] += w * w;
        g[j] -= error * centre(c)[j];
      }
      solve_for_gradient(c, g);
      gradient[c * (cols_ + 1) + cols_] = intercept_scale_[c] * error;
    }
  });
  const double square = std::accumulate(squares.begin(), squares.end(), 0.0);
  return {sums.loss / task_.total_weight + task_.penalty * square / 2, *std::ranges::max_element(steepest)};
}

}  // namespace shoal
