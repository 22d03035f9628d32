#pragma once

#include <span>
#include <vector>

#include "shoal/classify/label_sets.h"
#include "shoal/classify/logistic.h"
#include "shoal/core/labels.h"
#include "shoal/core/matrix.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"

namespace shoal {

/// A logit for each label: coefficients x + intercept.
struct LinearRule {
  Matrix coefficients;            ///< labels x d
  std::vector<float> intercepts;  ///< -infinity for a label without rows
  double loss = 0;                ///< mean loss and penalty at the end
  Index n_iter = 0;               ///< evaluations of the loss
  bool converged = true;

  Index labels() const { return coefficients.rows(); }
};

/// The logit of a label that all rows of a fit have: there was nothing to learn.
inline constexpr float kAlways = 30;

/// The logits of rows: rows x labels. O(rows d labels).
Matrix logits_of(const LinearRule& rule, const Rows& x, const Run& run);

/// Multinomial logistic regression, as Logistic::fit, from `start` if there is one (the same labels have
/// rows). At least two classes with rows, or Error(data). label_weights: of each label how much its rows
/// count beside the others; empty: 1.
LinearRule fit_softmax(const Rows& x, const Labels& labels, const LogisticOptions& options,
                       std::span<const double> label_weights, const LinearRule* start, const Run& run);
/// One logistic regression a label, against all rows without it: the mean over rows of the sum over labels of
/// -log p(has it or has not) + |coefficients|^2 / (2 c rows), all minimised together. balanced: of each
/// label, rows with and without it weigh the same. label_weights: of each label how much the rows with it
/// count beside those without; empty: 1. A label of no row has logit -infinity, one of all rows kAlways,
/// whatever the row.
LinearRule fit_one_vs_rest(const Rows& x, const LabelSets& sets, const LogisticOptions& options,
                           std::span<const double> label_weights, const LinearRule* start, const Run& run);
/// Softmax over the labels of `old`, which stay as they are, and new ones: labels.count of them all, the new
/// from old.labels() on. Only the new ones' coefficients are fitted: a row's old logits count as one number.
/// Error(data) if a new label has no rows. O(rows d new) a step.
LinearRule fit_added(const LinearRule& old, const Rows& x, const Labels& labels,
                     const LogisticOptions& options, const Run& run);

}  // namespace shoal
