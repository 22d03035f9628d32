#include "shoal/learn/learn.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/store/archive/archive.h"

namespace shoal {
namespace {

constexpr const char* kKind = "learning";

std::vector<Index> order_of(Index rows, Seed seed) {
  const Random random(seed);
  std::vector<std::pair<std::uint64_t, Index>> drawn;
  for (Index i = 0; i < rows; ++i) drawn.emplace_back(random.bits(i), i);
  std::ranges::sort(drawn);
  std::vector<Index> out;
  for (const auto& [draw, row] : drawn) out.push_back(row);
  return out;
}

class Learning {
 public:
  Learning(Parameters& parameters, const Lesson& lesson, const LearnOptions& options, Seed seed,
           const Run& run, const std::filesystem::path& checkpoint)
      : parameters_(parameters),
        lesson_(lesson),
        options_(options),
        seed_(seed),
        run_(run),
        checkpoint_(checkpoint),
        optimiser_(parameters, options.optimiser),
        steps_an_epoch_(chunk_count(lesson.rows, options.batch_size)) {
    if (!checkpoint_.empty() && std::filesystem::exists(checkpoint_)) resume();
  }

  Learnt finish() {
    while (epoch_ < options_.n_epochs && !enough()) {
      pass();
      judge();
      ++epoch_;
      if (!checkpoint_.empty() && epoch_ < options_.n_epochs) keep();
    }
    report_.stopped_early = epoch_ < options_.n_epochs;
    if (report_.best_epoch) parameters_.take(best_);
    for (Index i = 0; i < parameters_.size(); ++i) {
      const Matrix& value = parameters_[i].value;
      const std::span<const float> all(value.data(), value.rows() * value.cols());
      require(std::ranges::all_of(all, [](float v) { return std::isfinite(v); }), Fault::data,
              "what was learnt is no number after the last step: the learning rate is too high");
    }
    std::error_code ignored;
    if (!checkpoint_.empty()) std::filesystem::remove(checkpoint_, ignored);
    return std::move(report_);
  }

 private:
  bool enough() const {
    return options_.patience > 0 && report_.best_epoch && epoch_ > *report_.best_epoch + options_.patience;
  }

  void pass() {
    const auto order = order_of(lesson_.rows, seed_.child(epoch_));
    double total = 0;
    for (Index b = 0; b < steps_an_epoch_; ++b) {
      check_stop(run_);
      const Index first = b * options_.batch_size, last = std::min(lesson_.rows, first + options_.batch_size);
      parameters_.clear_gradients();
      const double loss =
          lesson_.batch(std::span<const Index>(order).subspan(first, last - first), parameters_);
      const double norm = report_.last_gradient_norm = parameters_.gradient_norm();
      require(std::isfinite(loss) && std::isfinite(norm), Fault::data,
              "the loss is no number at step " + std::to_string(b) + " of epoch " + std::to_string(epoch_) +
                  ": the learning rate is too high, or the rows hold what is no number");
      if (options_.max_norm > 0 && norm > options_.max_norm)
        parameters_.scale_gradients(static_cast<float>(options_.max_norm / norm));
      optimiser_.step(parameters_,
                      rate_factor(options_.schedule, options_.warmup, epoch_ * steps_an_epoch_ + b,
                                  options_.n_epochs * steps_an_epoch_));
      total += loss * static_cast<double>(last - first);
      if (run_.progress)
        run_.progress("learn", static_cast<double>(epoch_ * steps_an_epoch_ + b + 1),
                      static_cast<double>(options_.n_epochs * steps_an_epoch_));
    }
    report_.losses.push_back(total / static_cast<double>(lesson_.rows));
  }

  void judge() {
    if (!lesson_.score) return;
    const double score = lesson_.score(parameters_);
    report_.scores.push_back(score);
    if (report_.best_epoch && !(score > report_.scores[*report_.best_epoch])) return;
    report_.best_epoch = epoch_;
    best_ = parameters_;
  }

  /// All that the answer hangs on, as text.
  std::string made_by() const {
    std::string out = std::to_string(lesson_.rows) + " rows, seed " + std::to_string(seed_.value);
    for (const Field& field : list_fields(options_)) out += ", " + field.name + " " + text_of(field.value);
    return out;
  }

  void keep() const {
    ArchiveWriter out(kKind);
    out.meta("made_by", made_by());
    parameters_.save(out, "now");
    if (report_.best_epoch) best_.save(out, "best");
    optimiser_.save(out, "optimiser");
    out.add("losses", std::span<const double>(report_.losses));
    out.add("scores", std::span<const double>(report_.scores));
    out.meta("best_epoch", report_.best_epoch ? std::to_string(*report_.best_epoch) : "");
    out.write(checkpoint_);
  }

  void resume() {
    const ArchiveReader in(checkpoint_);
    const auto found = in.metadata().find("made_by");
    if (found == in.metadata().end() || found->second != made_by()) return;  // of other work: begun anew
    parameters_.load(in, "now");
    optimiser_.load(in, "optimiser");
    const auto count = [&](const char* name) { return in.tensor(name).count(); };
    report_.losses = in.doubles("losses", count("losses"));
    report_.scores = in.doubles("scores", count("scores"));
    if (const std::string best = in.meta("best_epoch"); !best.empty()) {
      report_.best_epoch = static_cast<Index>(std::stoull(best));
      require(*report_.best_epoch < report_.scores.size(), Fault::format,
              checkpoint_.string() + ": its best epoch has no score");
      best_ = parameters_;
      best_.load(in, "best");
    }
    epoch_ = report_.losses.size();
  }

  Parameters& parameters_;
  const Lesson& lesson_;
  const LearnOptions& options_;
  Seed seed_;
  const Run& run_;
  std::filesystem::path checkpoint_;
  AdamW optimiser_;
  Index steps_an_epoch_;
  Index epoch_ = 0;
  Parameters best_;
  Learnt report_;
};

}  // namespace

Learnt learn(Parameters& parameters, const Lesson& lesson, const LearnOptions& options, Seed seed,
             const Run& run, const std::filesystem::path& checkpoint) {
  check_options(options);
  require(lesson.rows > 0, Fault::data, "there are no rows to learn from");
  return Learning(parameters, lesson, options, seed, run, checkpoint).finish();
}

}  // namespace shoal
