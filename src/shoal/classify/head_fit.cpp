#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <string>

#include "shoal/classify/head.h"
#include "shoal/classify/split.h"
#include "shoal/core/error.h"
#include "shoal/linear/norms.h"
#include "shoal/near/select_rows.h"

namespace shoal {

namespace {

constexpr double kShrinkage = 0.01;
constexpr double kUsualC = 10, kStrongC = 4, kStrongestC = 1, kWeakC = 40;
constexpr Index kMostTries = 3;  // of C
constexpr double kPays = 0.95;   // of the loss: what a weaker penalty must come to
constexpr Index kPartsAFold =
    4;                           // how far rows are known is asked of finer parts than what takes long to fit
constexpr Index kEnough = 2000;  // held-out rows that choose the penalty
constexpr float kNone = -std::numeric_limits<float>::infinity();

}  // namespace

/// The work of Head::fit.
class HeadFit {
 public:
  HeadFit(const Rows& x, const LabelSets& sets, const HeadOptions& options, const Run& run)
      : x_(x), sets_(sets), o_(options), run_(run) {
    check_options(o_);
    check_label_sets(sets, x.rows());
    require(x.cols() > 0, Fault::data, "the rows have no columns");
    check_finite(x, run);
    const std::vector<Index> sizes = label_sizes(sets);
    for (Index c = 0; c < sizes.size(); ++c)
      require(sizes[c] > 0, Fault::data, "label " + std::to_string(c) + " has no rows");
    if (o_.task == HeadTask::multiclass) {
      require(sets.count >= 2, Fault::data,
              "a classifier needs at least 2 labels; there is " + std::to_string(sets.count));
      for (Index i = 0; i < sets.of.size(); ++i)
        require(sets.of[i].size() <= 1, Fault::data,
                "row " + std::to_string(i) + " has " + std::to_string(sets.of[i].size()) + " labels; " +
                    option_name("task") + " multilabel is for several");
    } else {
      require(std::ranges::any_of(sizes, [&](Index n) { return n < x.rows(); }), Fault::data,
              "no label stands at some rows and not at others: nothing to learn");
    }
    require(
        o_.label_weights.empty() || o_.label_weights.size() == sets.count, Fault::argument,
        std::to_string(o_.label_weights.size()) + " weights of " + std::to_string(sets.count) + " labels");
    for (Index c = 0; c < o_.label_weights.size(); ++c)
      require(std::isfinite(o_.label_weights[c]) && o_.label_weights[c] > 0, Fault::argument,
              "the weight of label " + std::to_string(c) + " is " + text_of(FieldValue(o_.label_weights[c])) +
                  "; allowed: above 0");
  }

  Head fit(HeldOut* out) {
    Head head;
    head.options_ = o_;
    head.space_ = x_.space();
    head.calibration_ = Calibration::fit(CalibrationKind::none, o_.task, {}, {});
    held_.judged.assign(x_.rows(), 0);
    const bool enough = can_hold_out();
    head.c_ = o_.head == HeadKind::mlp ? 0 : o_.c.value_or(kUsualC);
    if (enough) {
      if (o_.head == HeadKind::mlp)
        hold_out_all();
      else
        head.c_ = choose_c();
      judge(head);
    }
    if (o_.task == HeadTask::multilabel && held_.n_judged == 0) {  // nothing to choose them by
      head.thresholds_ = {ThresholdKind::half, std::vector<float>(sets_.count, 0.5f), 0, 0};
    }
    const std::vector<Index> own = rows_to_learn(-1);
    const LinearRule& start = start_.last;
    const bool warm = o_.head == HeadKind::logistic && start.labels() == sets_.count &&
                      std::ranges::all_of(start.intercepts, [](float b) { return std::isfinite(b); });
    PerceptronRule found = rule_of(x_, own, head.c_, warm ? &start : nullptr, run_);
    head.hidden_ = std::move(found.hidden);
    head.rule_ = std::move(found.last);
    head.options_.label_weights.clear();
    head.sets_ = select_sets(sets_, own);
    head.shape_ = OpenSetShape::fit(select_rows(x_, own), shape_labels(head.sets_), kShrinkage, run_);
    head.has_rows_ = true;
    if (head.scale_.empty()) head.limit_ = kNone;
    if (out) *out = std::move(held_);
    return head;
  }

  /// Rows with one label; if no row has one, each counts for its first.
  static Labels shape_labels(const LabelSets& sets) {
    Labels out = single_labels(sets);
    if (std::ranges::any_of(out.of, [](Label l) { return l != kNoise; })) return out;
    for (Index i = 0; i < sets.of.size(); ++i)
      if (!sets.of[i].empty()) out.of[i] = sets.of[i].front();
    return out;
  }

 private:
  /// multiclass: those with a label.
  bool learns(Index row) const { return o_.task == HeadTask::multilabel || !sets_.of[row].empty(); }
  std::vector<Index> rows_to_learn(std::int64_t without_fold) const {
    std::vector<Index> out;
    for (Index i = 0; i < x_.rows(); ++i)
      if (learns(i) && (held_.fold.empty() || static_cast<std::int64_t>(held_.fold[i]) != without_fold))
        out.push_back(i);
    return out;
  }
  std::vector<Index> rows_of(std::uint32_t fold) const {
    std::vector<Index> out;
    for (Index i = 0; i < x_.rows(); ++i)
      if (learns(i) && held_.fold[i] == fold) out.push_back(i);
    return out;
  }

  /// Logistic regression has no hidden layer, and begins at `start` if there is one.
  PerceptronRule rule_of(const Rows& x, const std::vector<Index>& rows, double c, const LinearRule* start,
                         const Run& run) const {
    const LabelSets sets = select_sets(sets_, rows);
    std::optional<Rows> some;
    if (rows.size() < x.rows()) some = Rows(select_rows(x, rows).to_matrix(), x.space());
    const Rows& own = some ? *some : x;
    if (o_.head == HeadKind::mlp)
      return fit_perceptron(own, sets, o_.task, o_.mlp, o_.balanced, o_.label_weights, o_.seed, run);
    const LogisticOptions options{.c = c, .tol = tol_at(c), .max_iter = o_.max_iter, .balanced = o_.balanced};
    return {{},
            o_.task == HeadTask::multiclass
                ? fit_softmax(own, single_labels(sets), options, o_.label_weights, start, run)
                : fit_one_vs_rest(own, sets, options, o_.label_weights, start, run)};
  }

  /// Deals rows to folds, the rows of a label evenly. Of several labels the rarest of a row counts.
  bool can_hold_out() {
    const std::vector<Index> sizes = label_sizes(sets_);
    if (std::ranges::count_if(sizes, [](Index n) { return n >= 2; }) < 2) return false;
    const Labels by = rarest_labels(sets_);
    const auto rows =
        static_cast<Index>(std::ranges::count_if(by.of, [](Label label) { return label != kNoise; }));
    n_folds_ = std::min(o_.n_folds, rows);
    held_.fold = stratified_folds(by, n_folds_, o_.seed);
    n_parts_ = std::min(kPartsAFold * n_folds_, rows);
    part_ = stratified_folds(by, n_parts_, o_.seed);
    return true;
  }

  /// A weaker penalty turns the slope less, and the search begins where a stronger one ended: to be seen, the
  /// slope must be followed further.
  double tol_at(double c) const { return o_.tol / std::max(1.0, c / kStrongC); }

  /// Logits of the rows of folds [first, last) by fits without their fold, into `out`. `rules`: of each fold
  /// where to start, if there is one, and what was found.
  void hold_out(double c, std::uint32_t first, std::uint32_t last, std::vector<PerceptronRule>& rules,
                Matrix& out) {
    rules.resize(n_folds_);
    for (std::uint32_t f = first; f < last; ++f) {
      if (run_.progress)
        run_.progress("held-out folds", static_cast<double>(fits_), static_cast<double>(most_fits_));
      ++fits_;
      const LinearRule start = std::move(rules[f].last);
      rules[f] = rule_of(x_, rows_to_learn(f), c, start.labels() > 0 ? &start : nullptr, run_.quiet());
      const std::vector<Index> rows = rows_of(f);
      const Matrix logits =
          logits_of(rules[f].last, rules[f].hidden.apply(select_rows(x_, rows), run_.quiet()), run_.quiet());
      for (Index r = 0; r < rows.size(); ++r) std::ranges::copy(logits[r], out[rows[r]].begin());
    }
  }

  void hold_out_all() {
    std::vector<PerceptronRule> rules;
    held_.logits = Matrix(x_.rows(), sets_.count);
    most_fits_ = n_folds_;
    hold_out(0, 0, static_cast<std::uint32_t>(n_folds_), rules, held_.logits);
  }

  /// Rows whose labels the fit that judges them could learn: it has seen those that they have, and rows
  /// without those that they lack.
  void find_judged(std::uint32_t folds) {
    held_.n_judged = 0;
    // Of each fold and label: rows of the other folds that have it, and all of them.
    std::vector<Index> with(n_folds_ * sets_.count), rows(n_folds_);
    for (Index i = 0; i < x_.rows(); ++i)
      for (std::uint32_t f = 0; learns(i) && f < n_folds_; ++f) {
        if (f == held_.fold[i]) continue;
        ++rows[f];
        for (const Label label : sets_.of[i]) ++with[f * sets_.count + static_cast<Index>(label)];
      }
    for (Index i = 0; i < x_.rows(); ++i) {
      const std::uint32_t f = held_.fold[i];
      bool known = learns(i) && f < folds;
      for (Index c = 0; known && c < sets_.count; ++c) {
        const Index seen = with[f * sets_.count + c];
        known = std::ranges::binary_search(sets_.of[i], static_cast<Label>(c)) ? seen > 0 : seen < rows[f];
      }
      held_.judged[i] = known;
      held_.n_judged += known;
    }
  }
  std::vector<Index> judged_rows(std::int64_t without_fold = -1) const {
    std::vector<Index> out;
    for (Index i = 0; i < x_.rows(); ++i)
      if (held_.judged[i] && static_cast<std::int64_t>(held_.fold[i]) != without_fold) out.push_back(i);
    return out;
  }
  static Matrix gather(const Matrix& from, const std::vector<Index>& rows) {
    Matrix out(rows.size(), from.cols());
    for (Index r = 0; r < rows.size(); ++r) std::ranges::copy(from[rows[r]], out[r].begin());
    return out;
  }
  Truth truth_of(const std::vector<Index>& rows) const {
    Truth out{sets_.count, std::vector<std::uint8_t>(rows.size() * sets_.count)};
    for (Index r = 0; r < rows.size(); ++r)
      for (const Label label : sets_.of[rows[r]]) out.of[r * sets_.count + static_cast<Index>(label)] = 1;
    return out;
  }

  /// So many folds as have enough rows to choose by.
  std::uint32_t folds_to_choose_by() const {
    Index rows = 0;
    std::uint32_t f = 0;
    while (f < n_folds_ && rows < kEnough) rows += rows_of(f++).size();
    return f;
  }

  /// Losses of the judged rows of folds before `last`, at the best temperature.
  std::vector<double> losses_of(const Matrix& logits, std::uint32_t last) const {
    std::vector<Index> rows;
    for (const Index i : judged_rows())
      if (held_.fold[i] < last) rows.push_back(i);
    const Matrix own = gather(logits, rows);
    const Truth truth = truth_of(rows);
    return row_losses(o_.task, own, truth, best_temperature(o_.task, own, truth));
  }

  /// Whether a weaker penalty pays: it takes longer, and fits rows of the same source the best.
  static bool pays(const std::vector<double>& weaker, const std::vector<double>& stronger) {
    const auto sum = [](const std::vector<double>& v) { return std::accumulate(v.begin(), v.end(), 0.0); };
    return clearly_less(weaker, stronger) && sum(weaker) < kPays * sum(stronger);
  }

  /// Whether the mean of `a` is smaller than that of `b`, of the same rows, by more than a standard error.
  static bool clearly_less(const std::vector<double>& a, const std::vector<double>& b) {
    const auto n = static_cast<double>(a.size());
    double mean = 0, square = 0;
    for (Index i = 0; i < a.size(); ++i) mean += (b[i] - a[i]) / n;
    for (Index i = 0; i < a.size(); ++i) square += (b[i] - a[i] - mean) * (b[i] - a[i] - mean) / n;
    return mean > std::sqrt(square / n);
  }

  /// c 4, 10, 40, as long as the weaker penalty pays; where 10 does not, 1 if that is not clearly worse. Then
  /// all folds at that c.
  double choose_c() {
    const std::uint32_t by = folds_to_choose_by();
    most_fits_ = (o_.c ? 1 : kMostTries) * by + n_folds_ - by;
    std::vector<PerceptronRule> rules, best_rules;
    Matrix logits(x_.rows(), sets_.count);
    std::vector<double> best_losses;
    double best = 0;
    /// True if it is the best now.
    const auto tries = [&](double c, bool even_if_equal) {
      rules = best_rules;
      Matrix now = logits;
      hold_out(c, 0, by, rules, now);
      if (best == 0) find_judged(by);
      std::vector<double> losses = losses_of(now, by);
      held_.tried.push_back(c);
      held_.losses.push_back(losses.empty() ? 0
                                            : std::accumulate(losses.begin(), losses.end(), 0.0) /
                                                  static_cast<double>(losses.size()));
      const bool better =
          best == 0 || (even_if_equal ? !clearly_less(best_losses, losses) : pays(losses, best_losses));
      if (better) best = c, best_losses = std::move(losses), best_rules = rules, logits = std::move(now);
      return better;
    };
    if (o_.c) {
      tries(*o_.c, false);
    } else {
      tries(kStrongC, false);
      if (tries(kUsualC, false))
        tries(kWeakC, false);
      else
        tries(kStrongestC, true);
    }
    rules.assign(n_folds_, {});
    hold_out(best, by, static_cast<std::uint32_t>(n_folds_), rules, logits);
    held_.logits = std::move(logits);
    start_ = std::move(best_rules.front());
    return best;
  }

  void judge(Head& head) {
    find_judged(static_cast<std::uint32_t>(n_folds_));
    if (held_.n_judged == 0) return;
    const std::vector<Index> rows = judged_rows();
    head.calibration_ = Calibration::fit(o_.calibration, o_.task, gather(held_.logits, rows), truth_of(rows));
    score_parts();
    const Matrix scores = gather(held_.scores, rows);
    head.scale_ = OpenSetScale(scores);
    head.scale_.fill_sum(held_.scores);
    head.limit_ = head.scale_.threshold(o_.open_set, o_.coverage);
    held_.probabilities = held_.logits;
    if (o_.task == HeadTask::multilabel) choose_label_thresholds(head, rows);
    held_.sets = {std::vector<std::vector<Label>>(x_.rows()), sets_.count};
    Index covered = 0;
    for (std::uint32_t f = 0; f < n_folds_; ++f) covered += judge_fold(f, head.thresholds_.kind);
    held_.covered = static_cast<double>(covered) / static_cast<double>(held_.n_judged);
  }

  /// Calibration, thresholds and limit of the other folds, on the rows of one. Returns how many judged rows
  /// are taken for known.
  Index judge_fold(std::uint32_t f, ThresholdKind kind) {
    const std::vector<Index> others = judged_rows(f), rows = rows_of(f);
    if (others.empty()) return 0;
    const Truth truth = truth_of(others);
    Matrix p = gather(held_.logits, others);
    const Calibration calibration = Calibration::fit(o_.calibration, o_.task, p, truth);
    std::vector<float> thresholds;
    if (o_.task == HeadTask::multilabel) {
      for (Index r = 0; r < p.rows(); ++r) calibration.apply(p[r]);
      thresholds = best_thresholds(kind, p, truth);
    }
    const OpenSetScale scale(gather(held_.scores, others));
    Matrix own = gather(held_.scores, rows);
    scale.fill_sum(own);
    const float limit = scale.threshold(o_.open_set, o_.coverage);
    Index covered = 0;
    for (Index r = 0; r < rows.size(); ++r) {
      const Index i = rows[r];
      calibration.apply(held_.probabilities[i]);
      if (!held_.judged[i]) continue;
      covered += own[r][static_cast<Index>(o_.open_set)] >= limit;
      const std::span<const float> said = held_.probabilities[i];
      if (o_.task == HeadTask::multiclass)
        held_.sets.of[i].push_back(static_cast<Label>(std::ranges::max_element(said) - said.begin()));
      for (Index c = 0; c < thresholds.size(); ++c)
        if (said[c] >= thresholds[c]) held_.sets.of[i].push_back(static_cast<Label>(c));
    }
    return covered;
  }

  void choose_label_thresholds(Head& head, const std::vector<Index>& rows) const {
    Matrix p = gather(held_.logits, rows);
    for (Index r = 0; r < p.rows(); ++r) head.calibration_.apply(p[r]);
    std::vector<std::uint32_t> fold;
    for (const Index i : rows) fold.push_back(held_.fold[i]);
    head.thresholds_ = choose_thresholds(o_.thresholds, p, truth_of(rows), fold);
  }

  /// How far each row is known to the rows of other parts. With a fifth of the rows left out, as in a fold,
  /// rows would seem stranger than they are to the head, and the limit be too low.
  void score_parts() {
    held_.scores = Matrix(x_.rows(), kOpenSetScores);
    held_.nearest.assign(x_.rows(), 0);
    for (std::uint32_t p = 0; p < n_parts_; ++p) {
      std::vector<Index> own, others;
      for (Index i = 0; i < x_.rows(); ++i)
        if (learns(i)) (part_[i] == p ? own : others).push_back(i);
      if (own.empty()) continue;
      const OpenSetShape shape = OpenSetShape::fit(
          select_rows(x_, others), shape_labels(select_sets(sets_, others)), kShrinkage, run_.quiet());
      const auto scored = shape.score(Rows(select_rows(x_, own).to_matrix(), x_.space()),
                                      gather(held_.logits, own), o_.task, run_.quiet());
      for (Index r = 0; r < own.size(); ++r) {
        std::ranges::copy(scored.scores[r], held_.scores[own[r]].begin());
        held_.nearest[own[r]] = static_cast<std::uint32_t>(others[scored.nearest[r]]);
      }
    }
  }

  const Rows& x_;
  const LabelSets& sets_;
  HeadOptions o_;
  const Run& run_;
  PerceptronRule start_;  // of the rows without the first fold, at the chosen c
  Index n_folds_ = 0, n_parts_ = 0, fits_ = 0, most_fits_ = 0;
  std::vector<std::uint32_t> part_;  // of each row; a fold is some of them, where there are rows enough
  HeldOut held_;
};

Head Head::fit(const Rows& x, const LabelSets& sets, const Options& options, const Run& run,
               HeldOut* held_out) {
  return HeadFit(x, sets, options, run).fit(held_out);
}

Head Head::with_added(const Rows& x, const LabelSets& sets, const Run& run) const {
  require(has_rows_, Fault::data, "the head was made without labelled rows: none can be added");
  check_input(x, dims(), space_, "the head");
  check_finite(x, run);
  check_label_sets(sets, x.rows());
  const Index before = n_labels();
  require(sets.count >= before, Fault::data,
          "the head has " + std::to_string(before) + " labels, of " + std::to_string(sets.count));
  Head head = *this;
  head.sets_.count = sets.count;
  std::vector<Index> own;
  for (Index i = 0; i < x.rows(); ++i)
    if (options_.task == HeadTask::multilabel || !sets.of[i].empty()) own.push_back(i);
  for (const Index i : own) head.sets_.of.push_back(sets.of[i]);
  const std::vector<Index> sizes = label_sizes(head.sets_);
  for (Index c = before; c < sets.count; ++c)
    require(sizes[c] > 0, Fault::data, "label " + std::to_string(c) + " has no rows");
  const Rows& old = training_rows();
  Matrix all(old.rows() + own.size(), old.cols()), scratch;
  const MatrixView was = old.block(0, old.rows(), scratch);
  for (Index i = 0; i < old.rows(); ++i) std::ranges::copy(was[i], all[i].begin());
  const Matrix added = select_rows(x, own).to_matrix();
  std::copy_n(added.data(), added.rows() * added.cols(), all[0].data() + old.rows() * old.cols());
  const Rows rows(std::move(all), space_);
  const LogisticOptions o{.c = c_ > 0 ? c_ : kUsualC,
                          .tol = options_.tol,
                          .max_iter = options_.max_iter,
                          .balanced = options_.balanced};
  if (sets.count > before) {
    const Rows inputs = hidden_.apply(rows, run);  // what the last layer reads
    if (options_.task == HeadTask::multiclass) {
      head.rule_ = fit_added(rule_, inputs, single_labels(head.sets_), o, run);
    } else {
      LabelSets fresh{{}, sets.count - before};
      for (const auto& set : head.sets_.of) {
        auto& to = fresh.of.emplace_back();
        for (const Label label : set)
          if (static_cast<Index>(label) >= before) to.push_back(label - static_cast<Label>(before));
      }
      const LinearRule found = fit_one_vs_rest(inputs, fresh, o, {}, nullptr, run);
      LinearRule both{.coefficients = Matrix(sets.count, inputs.cols()),
                      .intercepts = rule_.intercepts,
                      .loss = found.loss,
                      .n_iter = found.n_iter,
                      .converged = found.converged};
      std::copy_n(rule_.coefficients.data(), before * inputs.cols(), both.coefficients.data());
      std::copy_n(found.coefficients.data(), found.labels() * inputs.cols(),
                  both.coefficients[before].data());
      both.intercepts.insert(both.intercepts.end(), found.intercepts.begin(), found.intercepts.end());
      head.rule_ = std::move(both);
      head.thresholds_.of.resize(
          sets.count, head.thresholds_.kind == ThresholdKind::one ? head.thresholds_.of.front() : 0.5f);
    }
  }
  head.calibration_.grow(sets.count);
  head.shape_ = OpenSetShape::fit(rows, HeadFit::shape_labels(head.sets_), kShrinkage, run);
  return head;
}

}  // namespace shoal
