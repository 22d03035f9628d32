#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "shoal/classify/calibration.h"
#include "shoal/classify/hidden_layer.h"
#include "shoal/classify/label_sets.h"
#include "shoal/classify/linear_rule.h"
#include "shoal/classify/open_set.h"
#include "shoal/classify/perceptron.h"
#include "shoal/classify/thresholds.h"
#include "shoal/core/fields.h"
#include "shoal/core/labels.h"
#include "shoal/core/matrix.h"
#include "shoal/core/random.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"
#include "shoal/core/stage.h"

namespace shoal {

/// How labels are learnt.
enum class HeadKind : std::uint8_t {
  logistic,  ///< logistic regression
  mlp,       ///< a perceptron of one hidden layer
};
constexpr auto names_of(HeadKind) { return std::array{"logistic", "mlp"}; }

/// What `Head::fit` may be told.
struct HeadOptions {
  HeadTask task = HeadTask::multiclass;
  HeadKind head = HeadKind::logistic;
  std::optional<double> c;  ///< inverse strength of the L2 penalty; absent: chosen on held-out folds
  double tol = 1e-5;        ///< done when no derivative of the mean loss is larger, >= 0
  Index max_iter = 1000;    ///< most evaluations of the loss of a fit, >= 1
  PerceptronOptions mlp;    ///< of HeadKind::mlp
  bool balanced = false;    ///< labels weigh the same, however many rows they have
  Index n_folds = 5;        ///< >= 2
  CalibrationKind calibration = CalibrationKind::temperature;
  ThresholdKind thresholds = ThresholdKind::best;  ///< of multilabel
  OpenSetScore open_set = OpenSetScore::sum;
  double coverage = 0.95;  ///< share of rows of known labels that are not taken for none of the known
  Seed seed{42};           ///< deals rows to folds, and begins an mlp
  /// Of each label how much its rows count (multilabel: rows that have it); empty: 1. No option of `fields`,
  /// and not kept by a head.
  std::vector<double> label_weights;
};
template <class V>
void fields(HeadOptions& o, V&& visit) {
  visit("task", o.task, "one label a row, or any number of them");
  visit("head", o.head, "logistic regression, or a perceptron of one hidden layer");
  visit("c", o.c, "inverse strength of the L2 penalty. Default: chosen on held-out folds", above(0));
  visit("tol", o.tol, "done when no derivative of the mean loss is larger", at_least(0));
  visit("max_iter", o.max_iter, "most evaluations of the loss of one fit", at_least(1));
  fields(o.mlp, visit);
  visit("balanced", o.balanced, "labels weigh the same, however many rows they have");
  visit("n_folds", o.n_folds, "parts that are held out in turn, for whatever is chosen and judged",
        between(2, 1000));
  visit("calibration", o.calibration, "how probabilities are made to come true as often as they say");
  visit("thresholds", o.thresholds, "of several labels a row: from which probability on a label is given");
  visit("open_set", o.open_set, "what tells rows of none of the labels");
  visit("coverage", o.coverage, "share of rows of known labels that are not taken for none of them",
        above(0).at_most(1));
  visit("seed", o.seed, "start of all randomness");
}

/// What fits that left rows out say of them: all that is chosen is chosen on this.
struct HeldOut {
  std::vector<double> tried, losses;   ///< values of c, and the mean -log p of each at its best temperature,
                                       ///< over held-out rows (of some folds, if 2,000 rows are in them)
  std::vector<std::uint32_t> fold;     ///< of each row
  std::vector<std::uint8_t> judged;    ///< 0: a label of the row stood in no other fold, or one that it
                                       ///< lacks at all rows of the others, or (multiclass) it has none
  Matrix logits;                       ///< rows x labels
  Matrix probabilities;                ///< the same, calibrated on the other folds
  LabelSets sets;                      ///< what the other folds say: the likeliest label, or by thresholds
                                       ///< that were chosen on them alone; none where not judged
  Matrix scores;                       ///< rows x kOpenSetScores; what takes no logits is asked of four times
                                       ///< as many parts
  std::vector<std::uint32_t> nearest;  ///< of each row: the nearest row of another part
  double covered = 0;                  ///< share of judged rows that thresholds of other folds take for known
  Index n_judged = 0;                  ///< 0: too few rows a label; nothing was chosen
};

/// What is said of new rows.
struct HeadAnswer {
  LabelSets sets;                      ///< multiclass: the likeliest label, none where `unknown`
  std::vector<Label> likeliest;        ///< the most probable label of every row; ties to the smaller
  Matrix probabilities;                ///< rows x labels; multiclass: each row sums to 1
  Matrix scores;                       ///< rows x kOpenSetScores; empty: the head has no training rows
  std::vector<double> p_value;         ///< of the head's score (OpenSetScale); 1 where not known
  std::vector<std::uint8_t> unknown;   ///< 1: taken for none of the known labels
  std::vector<std::uint32_t> nearest;  ///< training row; empty as `scores`
};

/// Labels for vectors of a frozen encoder: logistic regression (multinomial, or one a label against the rest)
/// with c chosen, or a small perceptron; probabilities calibrated, thresholds and the limit of the known
/// chosen on held-out folds.
/// Keeps the training rows: for the nearest of them, and to take in new labels.
class Head {
 public:
  using Options = HeadOptions;
  static constexpr std::string_view kind = "head";

  /// sets: of each row; multiclass: one label each, rows without one are left out. Every label 0..count-1 has
  /// rows. With fewer than two labels of two rows or more nothing can be held out: c is 10, probabilities are
  /// not calibrated, and no row is taken for unknown. Error(argument) on an option out of range; Error(data)
  /// if a row holds a NaN or an infinity (named), if the sets do not fit, if fewer than two labels have rows
  /// (multilabel: if no label stands at some rows and not at others), or if a label has none; Error(argument)
  /// if label_weights are not one a label, each above 0. Steps "held-out folds" and "logistic regression" or
  /// "learn". O((n_folds tried + 1) rows d labels) a step of the search.
  static Head fit(const Rows& x, const LabelSets& sets, const Options& options = {}, const Run& run = {},
                  HeldOut* held_out = nullptr);
  /// Without any labelled row: softmax of `scale` times the cosine to the vector of each label's name,
  /// whatever the length of a row. names: labels x d. Error(data) for fewer than two, or a row of zeros.
  static Head zero_shot(const Rows& names, double scale = 20, const Run& run = {});
  /// A rule that was learnt elsewhere, on vectors of this space: no training rows, nothing calibrated, a
  /// label from probability 0.5 on. Error(data) if it holds a NaN or an infinity.
  static Head of_rule(LinearRule rule, HeadTask task, Space space);
  /// The same head with further rows, whose labels may be new (sets.count of them all). Multiclass: what it
  /// knew of old labels stays; only new labels are fitted (fit_added). Multilabel: only new ones too, against
  /// all rows. New rows count as training rows for what is far from all. Calibration and the limit of the
  /// known stay. Error(data) as fit, or for a head without training rows.
  Head with_added(const Rows& x, const LabelSets& sets, const Run& run = {}) const;

  /// Error(data) if a row holds a NaN or an infinity (named) or if the rows have another dimension or space.
  HeadAnswer answer(const Rows& x, const Run& run = {}) const;
  Labels predict(const Rows& x, const Run& run = {}) const;        ///< likeliest
  Matrix predict_proba(const Rows& x, const Run& run = {}) const;  ///< probabilities

  Index n_labels() const { return rule_.labels(); }
  Index dims() const { return hidden_.empty() ? rule_.coefficients.cols() : hidden_.weight.cols(); }
  const HiddenLayer& hidden() const& { return hidden_; }  ///< of an mlp
  const LinearRule& rule() const& { return rule_; }       ///< of what the hidden layer gives, if there is one
  const Calibration& calibration() const& { return calibration_; }
  const Thresholds& thresholds() const& { return thresholds_; }  ///< multilabel; else of no label
  double c() const { return c_; }  ///< as it was given or chosen; 0: there is none
  bool has_rows() const { return has_rows_; }
  const LabelSets& training_sets() const& { return sets_; }
  const Rows& training_rows() const& { return shape_.rows(); }
  /// Rows with a lower score are taken for none of the known; -infinity: none is.
  float limit() const { return limit_; }
  const Space& space() const& { return space_; }
  Space space() && { return std::move(space_); }
  const Options& options() const& { return options_; }
  Options options() && { return std::move(options_); }

  void save(ArchiveWriter& out) const;
  static Head load(const ArchiveReader& in);  ///< Error(format) if the file does not hold one, whole

 private:
  Head() = default;
  friend class HeadFit;

  Matrix logits(const Rows& x, const Run& run) const;

  Options options_;
  Space space_;
  HiddenLayer hidden_;
  LinearRule rule_;
  Calibration calibration_;
  Thresholds thresholds_;
  OpenSetShape shape_;
  OpenSetScale scale_;
  LabelSets sets_;  // of the training rows
  double c_ = 0;
  float limit_ = 0;
  bool has_rows_ = false;
  bool by_cosine_ = false;  // rows count at length 1
};
static_assert(Predictor<Head>);

}  // namespace shoal
