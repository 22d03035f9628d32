#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "shoal/classify/logistic_search_impl.h"
#include "shoal/classify/softmax_loss_impl.h"
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

LogisticSearch::LogisticSearch(const Rows& x, const Labels& labels, const LogisticOptions& options,
                               const Run& run)
    : x_(x),
      labels_(labels),
      run_(run),
      cols_(x.cols()),
      most_evaluations_(options.max_iter),
      weights_(labels.count * x.cols()),
      coefficients_(labels.count, x.cols()),
      intercepts_(labels.count) {
  weigh(options);
  find_coordinates();
}

void LogisticSearch::weigh(const LogisticOptions& options) {
  std::vector<double> rows(labels_.count);
  for (const Label label : labels_.of)
    if (label != kNoise) rows[static_cast<Index>(label)] += 1;
  const double all = std::accumulate(rows.begin(), rows.end(), 0.0);
  weight_.assign(labels_.count, 1.0);
  if (options.balanced)
    for (Index c = 0; c < rows.size(); ++c) weight_[c] = all / (static_cast<double>(rows.size()) * rows[c]);
  total_weight_ = all;  // balanced weights sum to the number of rows too
  penalty_ = 1 / (options.c * total_weight_);
}

void LogisticSearch::find_coordinates() {
  const auto classes = static_cast<double>(weight_.size());
  const double curvature = (1 - 1 / classes) / classes;
  intercept_scale_ = 1 / std::sqrt(curvature);

  const std::vector<double> mean = column_means(x_, run_);
  const Matrix means = centroids(x_, Metric::euclidean, labels_, run_);
  for (Index c = 0; c < means.rows(); ++c)
    for (Index j = 0; j < cols_; ++j) centres_.push_back(0.5 * (mean[j] + static_cast<double>(means[c][j])));

  const Rows some = sample(x_);
  const std::vector<float> shift(mean.begin(), mean.end());
  const auto n = static_cast<double>(some.rows());
  if (cols_ > kMostSolved) {
    Standardise scale;
    scale.update(some, run_);
    for (const double v : scale.variance()) diagonal_.push_back(std::sqrt(curvature * v + penalty_));
    return;
  }
  std::vector<double> hessian = gram(some, shift, run_);
  for (double& v : hessian) v *= curvature / n;
  double trace = 0;
  for (Index j = 0; j < cols_; ++j) trace += hessian[j * cols_ + j] += penalty_;
  factor_ = Cholesky(std::move(hessian), cols_, 1e-12 * trace / static_cast<double>(cols_));
}

void LogisticSearch::solve_for_weights(std::span<double> w) const {
  if (diagonal_.empty()) return factor_.solve_transposed(w);
  for (Index j = 0; j < cols_; ++j) w[j] /= diagonal_[j];
}

void LogisticSearch::solve_for_gradient(std::span<double> g) const {
  if (diagonal_.empty()) return factor_.solve_lower(g);
  solve_for_weights(g);
}

void LogisticSearch::place(std::span<const double> at) {
  for_chunks(run_, weight_.size(), 8, [&](Index, Index first, Index last) {
    for (Index c = first; c < last; ++c) {
      const std::span<double> w(weights_.data() + c * cols_, cols_);
      const std::span<const double> from = at.subspan(c * (cols_ + 1), cols_ + 1);
      std::ranges::copy(from.first(cols_), w.begin());
      solve_for_weights(w);
      for (Index j = 0; j < cols_; ++j) coefficients_[c][j] = static_cast<float>(w[j]);
      const std::span<const double> m = centre(c);
      intercepts_[c] = static_cast<float>(intercept_scale_ * from[cols_] -
                                          std::inner_product(w.begin(), w.end(), m.begin(), 0.0));
    }
  });
}

Slope LogisticSearch::operator()(std::span<const double> at, std::span<double> gradient) {
  if (run_.progress)
    run_.progress("logistic regression", static_cast<double>(evaluations_),
                  static_cast<double>(most_evaluations_));
  ++evaluations_;
  place(at);
  const SoftmaxSums sums = softmax_sums({x_, labels_.of, weight_}, coefficients_, intercepts_, run_);
  std::vector<double> steepest(weight_.size()), squares(weight_.size());
  for_chunks(run_, weight_.size(), 8, [&](Index, Index first, Index last) {
    for (Index c = first; c < last; ++c) {
      const std::span<double> g = gradient.subspan(c * (cols_ + 1), cols_);
      const double error = sums.errors[c] / total_weight_;
      steepest[c] = std::abs(error);
      for (Index j = 0; j < cols_; ++j) {
        const double w = weights_[c * cols_ + j];
        g[j] = sums.products[c * cols_ + j] / total_weight_ + penalty_ * w;
        steepest[c] = std::max(steepest[c], std::abs(g[j]));
        squares[c] += w * w;
        g[j] -= error * centre(c)[j];
      }
      solve_for_gradient(g);
      gradient[c * (cols_ + 1) + cols_] = intercept_scale_ * error;
    }
  });
  const double square = std::accumulate(squares.begin(), squares.end(), 0.0);
  return {sums.loss / total_weight_ + penalty_ * square / 2, *std::ranges::max_element(steepest)};
}

}  // namespace shoal
