#pragma once

#include <span>
#include <vector>

#include "shoal/classify/logistic.h"
#include "shoal/classify/loss_sums_impl.h"
#include "shoal/core/labels.h"
#include "shoal/core/matrix.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"
#include "shoal/linear/cholesky.h"
#include "shoal/linear/minimise.h"

namespace shoal {

/// What a LogisticSearch minimises: the loss of linear logits, a mean over rows, and a penalty.
struct LogisticTask {
  BlockLoss loss;
  Matrix means;                   ///< of the rows for which each output speaks, outputs x d
  std::vector<double> curvature;  ///< of the mean loss along a logit, about, of each output; above 0
  double total_weight = 0;        ///< what a sum is divided by to be a mean
  double penalty = 0;             ///< the mean loss has penalty |coefficients|^2 / 2 added
  Index max_iter = 1000;          ///< for progress
};

/// That of softmax over classes that have rows, or kNoise. labels and weight must outlive it.
LogisticTask softmax_task(const Rows& x, const Labels& labels, std::span<const double> weight,
                          const LogisticOptions& options, const Run& run);
/// 1 for each class; balanced: such that classes weigh the same and all rows as many as they are.
std::vector<double> class_weights(const Labels& labels, bool balanced);

/// The penalised mean loss as a function of coordinates in which it curves about equally in all directions,
/// so that L-BFGS takes a third of the steps. With curvature s of a logit, covariance S of the rows and
/// penalty l, the Hessian for the coefficients of an output is near s S + l I = L L^T: the coordinates of its
/// coefficients w are L^T w, that of its intercept is sqrt(s) times the logit at a point half-way between the
/// mean of all rows and that of the output's rows, about where its class ends. (Boehning 1992 bounds the
/// Hessian of softmax so, with s = (1 - 1/K) / K for K classes.) Outputs whose s are within a factor of 4
/// share one L.
class LogisticSearch {
 public:
  /// x and run must outlive this.
  LogisticSearch(const Rows& x, LogisticTask task, const Run& run);

  Index size() const { return outputs() * (cols_ + 1); }
  /// The coordinates of these coefficients (outputs x d) and intercepts: where to start.
  std::vector<double> coordinates(const Matrix& coefficients, std::span<const float> intercepts) const;
  /// What minimise asks.
  Slope operator()(std::span<const double> at, std::span<double> gradient);
  /// Coefficients (outputs x d) and intercepts at a point, in float as all products take them.
  void place(std::span<const double> at);
  const Matrix& coefficients() const { return coefficients_; }
  const std::vector<float>& intercepts() const { return intercepts_; }

 private:
  Index outputs() const { return task_.curvature.size(); }
  void find_coordinates();
  void solve_for_weights(Index output, std::span<double> w) const;   // in: L^T w
  void solve_for_gradient(Index output, std::span<double> g) const;  // out: L^-1 g
  std::span<const double> centre(Index c) const { return {centres_.data() + c * cols_, cols_}; }

  const Rows& x_;
  LogisticTask task_;
  const Run& run_;
  Index cols_, evaluations_ = 0;
  std::vector<double> intercept_scale_;         // of each output
  std::vector<Cholesky> factors_;               // L
  std::vector<std::vector<double>> diagonals_;  // for many columns, instead of L
  std::vector<Index> band_;                     // of each output: which of them
  std::vector<double> centres_;                 // where the logit of each output is a coordinate, outputs x d
  std::vector<double> weights_;                 // coefficients in double
  Matrix coefficients_;
  std::vector<float> intercepts_;
};

}  // namespace shoal
