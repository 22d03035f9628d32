#include "shoal/classify/head.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "shoal/core/error.h"
#include "shoal/linear/norms.h"
#include "shoal/store/archive/archive.h"

namespace shoal {
namespace {

constexpr float kNone = -std::numeric_limits<float>::infinity();

void add_part(ArchiveWriter& out, std::string_view name, const auto& what) {
  ArchiveWriter part(name);
  what.save(part);
  out.add_part(name, part);
}

}  // namespace

Head Head::zero_shot(const Rows& names, double scale, const Run& run) {
  require(names.rows() >= 2, Fault::data,
          "a classifier needs at least 2 labels; there is " + std::to_string(names.rows()));
  check_finite(names, run);
  Head head;
  head.space_ = names.space();
  head.rule_.coefficients = names.to_matrix();
  require(unit_rows(head.rule_.coefficients.span()) == 0, Fault::data, "the name of a label has no vector");
  for (Index c = 0; c < names.rows(); ++c)
    for (float& v : head.rule_.coefficients[c]) v *= static_cast<float>(scale);
  head.rule_.intercepts.assign(names.rows(), 0.0f);
  head.sets_.count = names.rows();
  head.limit_ = kNone;
  head.by_cosine_ = true;
  return head;
}

Head Head::of_rule(LinearRule rule, HeadTask task, Space space) {
  check_finite(Rows(rule.coefficients), {});
  require(std::ranges::all_of(rule.intercepts, [](float b) { return std::isfinite(b); }), Fault::data,
          "an intercept of the rule is no number");
  Head head;
  head.options_.task = task;
  head.space_ = std::move(space);
  head.calibration_ = Calibration::fit(CalibrationKind::none, task, {}, {});
  if (task == HeadTask::multilabel)
    head.thresholds_ = {ThresholdKind::half, std::vector<float>(rule.labels(), 0.5f), 0, 0};
  head.sets_.count = rule.labels();
  head.rule_ = std::move(rule);
  head.limit_ = kNone;
  return head;
}

Matrix Head::logits(const Rows& x, const Run& run) const {
  if (!by_cosine_) return logits_of(rule_, hidden_.apply(x, run), run);
  Matrix unit = x.to_matrix();
  unit_rows(unit.span());
  return logits_of(rule_, unit, run);
}

HeadAnswer Head::answer(const Rows& x, const Run& run) const {
  check_input(x, dims(), space_, "the head");
  check_finite(x, run);
  HeadAnswer out;
  out.probabilities = logits(x, run);
  out.p_value.assign(x.rows(), 1);
  out.unknown.assign(x.rows(), 0);
  if (has_rows_ && x.rows() > 0) {
    auto scored = shape_.score(x, out.probabilities, options_.task, run);
    out.scores = std::move(scored.scores);
    out.nearest = std::move(scored.nearest);
    if (!scale_.empty()) {
      scale_.fill_sum(out.scores);
      for (Index i = 0; i < x.rows(); ++i) {
        const float score = out.scores[i][static_cast<Index>(options_.open_set)];
        out.p_value[i] = scale_.p_value(options_.open_set, score);
        out.unknown[i] = score < limit_;
      }
    }
  }
  out.sets.count = n_labels();
  for (Index i = 0; i < x.rows(); ++i) {
    const std::span<float> p = out.probabilities[i];
    calibration_.apply(p);
    out.likeliest.push_back(static_cast<Label>(std::ranges::max_element(p) - p.begin()));
    std::vector<Label>& set = out.sets.of.emplace_back();
    if (options_.task == HeadTask::multiclass) {
      if (!out.unknown[i]) set.push_back(out.likeliest.back());
      continue;
    }
    for (Index c = 0; c < p.size(); ++c)
      if (p[c] >= thresholds_.of[c]) set.push_back(static_cast<Label>(c));
  }
  return out;
}

Labels Head::predict(const Rows& x, const Run& run) const { return {answer(x, run).likeliest, n_labels()}; }

Matrix Head::predict_proba(const Rows& x, const Run& run) const { return answer(x, run).probabilities; }

void Head::save(ArchiveWriter& out) const {
  out.options(list_fields(options_));
  out.space(space_);
  hidden_.save(out);
  out.add("coefficients", rule_.coefficients);
  out.add("intercepts", std::span<const float>(rule_.intercepts));
  const double numbers[] = {rule_.loss, c_, thresholds_.macro_f1, thresholds_.micro_f1};
  out.add("numbers", std::span<const double>(numbers));
  const std::int64_t counts[] = {static_cast<std::int64_t>(rule_.n_iter), rule_.converged, has_rows_,
                                 by_cosine_};
  out.add("counts", std::span<const std::int64_t>(counts));
  out.add("limit", std::span<const float>(&limit_, 1));
  out.meta("thresholds", name_of(thresholds_.kind));
  out.add("threshold", std::span<const float>(thresholds_.of));
  add_part(out, "calibration", calibration_);
  if (!has_rows_) return;
  add_part(out, "shape", shape_);
  add_part(out, "scale", scale_);
  std::vector<std::int32_t> labels, sizes;
  for (const auto& set : sets_.of) {
    sizes.push_back(static_cast<std::int32_t>(set.size()));
    labels.insert(labels.end(), set.begin(), set.end());
  }
  out.add("row_sizes", std::span<const std::int32_t>(sizes));
  out.add("row_labels", std::span<const std::int32_t>(labels));
}

Head Head::load(const ArchiveReader& in) {
  check_kind(in, kind);
  const auto whole = [&](bool ok) {
    require(ok, Fault::format, in.path().string() + ": the head is damaged");
  };
  Head head;
  head.options_ = read_options<Options>(in);
  head.space_ = read_space(in);
  head.hidden_ = HiddenLayer::load(in);
  head.rule_.coefficients = in.matrix("coefficients");
  const Index labels = head.n_labels(), dims = head.dims();
  whole(labels >= 1 && dims >= 1 &&
        (head.hidden_.empty() || head.hidden_.weight.rows() == head.rule_.coefficients.cols()));
  head.rule_.intercepts = in.floats("intercepts", labels);
  const auto finite = [](float v) { return std::isfinite(v); };
  const auto finite_rows = [&](const Matrix& x) {
    for (Index i = 0; i < x.rows(); ++i)
      if (!std::ranges::all_of(x[i], finite)) return false;
    return true;
  };
  // A label that never, or always, is right has an intercept without a bound.
  whole(finite_rows(head.rule_.coefficients) && finite_rows(head.hidden_.weight) &&
        std::ranges::all_of(head.hidden_.bias, finite) &&
        std::ranges::none_of(head.rule_.intercepts, [](float v) { return std::isnan(v); }));
  const std::vector<double> numbers = in.doubles("numbers", 4);
  const auto counts = in.integers("counts");
  whole(counts.size() == 4 && counts[0] >= 0);
  head.rule_.loss = numbers[0], head.c_ = numbers[1];
  head.rule_.n_iter = static_cast<Index>(counts[0]), head.rule_.converged = counts[1] != 0;
  head.has_rows_ = counts[2] != 0, head.by_cosine_ = counts[3] != 0;
  head.limit_ = in.floats("limit", 1)[0];
  whole(!std::isnan(head.limit_));
  const auto kind_of = named<ThresholdKind>(in.meta("thresholds"));
  whole(kind_of.has_value());
  const bool several = head.options_.task == HeadTask::multilabel;
  head.thresholds_ = {*kind_of, in.floats("threshold", several ? labels : 0), numbers[2], numbers[3]};
  head.calibration_ = Calibration::load(in.part("calibration"), labels);
  head.sets_.count = labels;
  if (!head.has_rows_) return head;
  head.shape_ = OpenSetShape::load(in.part("shape"), head.space_);
  head.scale_ = OpenSetScale::load(in.part("scale"));
  const auto sizes = in.integers("row_sizes"), of = in.integers("row_labels");
  whole(sizes.size() == head.shape_.rows().rows() && head.shape_.rows().cols() == dims);
  Index at = 0;
  for (const std::int64_t size : sizes) {
    whole(size >= 0 && static_cast<Index>(size) <= of.size() - at);
    auto& set = head.sets_.of.emplace_back();
    for (std::int64_t k = 0; k < size; ++k) set.push_back(static_cast<Label>(of[at++]));
  }
  whole(at == of.size());
  try {
    check_label_sets(head.sets_, sizes.size());
  } catch (const Error&) {
    whole(false);
  }
  return head;
}

}  // namespace shoal
