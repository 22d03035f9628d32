#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "shoal/core/fields.h"
#include "shoal/core/labels.h"
#include "shoal/core/matrix.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"
#include "shoal/core/stage.h"

namespace shoal {

/// What `Logistic::fit` may be told.
struct LogisticOptions {
  double c = 1.0;         ///< inverse strength of the L2 penalty, above 0, as in scikit-learn
  double tol = 1e-4;      ///< done when no derivative of the mean loss is larger, >= 0
  Index max_iter = 1000;  ///< most evaluations of the loss, >= 1
  bool balanced = false;  ///< classes weigh the same, however many rows they have
};
template <class V>
void fields(LogisticOptions& o, V&& visit) {
  visit("c", o.c, "inverse strength of the L2 penalty", above(0));
  visit("tol", o.tol, "done when no derivative of the mean loss is larger", at_least(0));
  visit("max_iter", o.max_iter, "most evaluations of the loss", at_least(1));
  visit("balanced", o.balanced, "classes weigh the same, however many rows they have");
}

/// Multinomial logistic regression: p(class | x) = softmax(coefficients x + intercepts), the mean loss
/// -log p(label) + |coefficients|^2 / (2 c rows) minimised by L-BFGS; intercepts are not penalised. Loss and
/// gradient come from blocked float products folded in double in order. The search runs in coordinates where
/// the columns have mean 0 and about equal curvature, which changes the way, not the minimum.
/// Rows labelled kNoise are left out; a class without rows gets probability 0.
class Logistic {
 public:
  using Options = LogisticOptions;
  static constexpr std::string_view kind = "logistic";

  /// Error(argument) on an option out of range; Error(data) if a row holds a NaN or an infinity (named), if
  /// the labels are not one a row or outside 0..count-1 (named), or if fewer than two classes have rows.
  /// A step is O(rows d classes); memory O(d^2 + d classes) for each of at most 32 partial sums.
  static Logistic fit(const Rows& x, const Labels& labels, const Options& options = {}, const Run& run = {});

  /// The most probable class of each row, ties to the smaller label. Error(data) as fit, or if the rows have
  /// another dimension or space.
  Labels predict(const Rows& x, const Run& run = {}) const;
  /// rows x n_classes, each row sums to 1. Errors as predict.
  Matrix predict_proba(const Rows& x, const Run& run = {}) const;

  Index n_classes() const { return coefficients_.rows(); }       ///< labels.count of the fit
  const Matrix& coefficients() const& { return coefficients_; }  ///< n_classes x d
  Matrix coefficients() && { return std::move(coefficients_); }
  /// -infinity for a class without rows
  const std::vector<float>& intercepts() const& { return intercepts_; }
  std::vector<float> intercepts() && { return std::move(intercepts_); }
  double loss() const { return loss_; }          ///< mean loss and penalty at the end
  Index n_iter() const { return n_iter_; }       ///< evaluations of the loss
  bool converged() const { return converged_; }  ///< false: max_iter came first
  const Space& space() const& { return space_; }
  Space space() && { return std::move(space_); }
  const Options& options() const& { return options_; }
  Options options() && { return std::move(options_); }

  void save(ArchiveWriter& out) const;
  static Logistic load(const ArchiveReader& in);  ///< Error(format) if the file does not hold one, whole

 private:
  Logistic() = default;
  template <class Each>
  void for_logits(const Rows& x, const Run& run, const Each& each) const;

  Options options_;
  Space space_;
  Matrix coefficients_;
  std::vector<float> intercepts_;
  double loss_ = 0;
  Index n_iter_ = 0;
  bool converged_ = false;
};
static_assert(Predictor<Logistic>);

}  // namespace shoal
