#pragma once

#include <span>
#include <vector>

#include "shoal/classify/logistic.h"
#include "shoal/core/labels.h"
#include "shoal/core/matrix.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"
#include "shoal/linear/cholesky.h"
#include "shoal/linear/minimise.h"

namespace shoal {

/// The penalised mean loss as a function of coordinates in which it curves about equally in all directions,
/// so that L-BFGS takes a third of the steps. With K classes, the curvature of a logit taken as the constant
/// s = (1 - 1/K) / K, covariance S of the rows and penalty l, the Hessian for the coefficients of a class is
/// near s S + l I = L L^T: the coordinates of its coefficients w are L^T w, that of its intercept is
/// sqrt(s) times the logit at a point half-way between the mean of all rows and that of the class, about
/// where the class ends. (Boehning 1992 bounds the Hessian so.)
class LogisticSearch {
 public:
  /// labels: 0..count-1, each with rows, or kNoise. x, labels and run must outlive this.
  LogisticSearch(const Rows& x, const Labels& labels, const LogisticOptions& options, const Run& run);

  Index size() const { return weight_.size() * (cols_ + 1); }
  /// What minimise asks.
  Slope operator()(std::span<const double> at, std::span<double> gradient);
  /// Coefficients (classes x d) and intercepts at a point, in float as all products take them.
  void place(std::span<const double> at);
  const Matrix& coefficients() const { return coefficients_; }
  const std::vector<float>& intercepts() const { return intercepts_; }

 private:
  void weigh(const LogisticOptions& options);
  void find_coordinates();
  void solve_for_weights(std::span<double> w) const;   // in: L^T w
  void solve_for_gradient(std::span<double> g) const;  // out: L^-1 g
  std::span<const double> centre(Index c) const { return {centres_.data() + c * cols_, cols_}; }

  const Rows& x_;
  const Labels& labels_;
  const Run& run_;
  Index cols_, evaluations_ = 0, most_evaluations_;
  std::vector<double> weight_;  // of each class
  double total_weight_ = 0, penalty_ = 0, intercept_scale_ = 1;
  Cholesky factor_;               // L
  std::vector<double> diagonal_;  // for many columns, instead of L
  std::vector<double> centres_;   // where the logit of each class is a coordinate, classes x d
  std::vector<double> weights_;   // coefficients in double
  Matrix coefficients_;
  std::vector<float> intercepts_;
};

}  // namespace shoal
