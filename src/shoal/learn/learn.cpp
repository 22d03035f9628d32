#include "shoal/learn/learn.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/store/archive/archive.h"

namespace shoal {
namespace {

constexpr const char* kKind = "learning";
using Clock = std::chrono::steady_clock;

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
           const Run& run, const Checkpoint& checkpoint)
      : parameters_(parameters),
        lesson_(lesson),
        options_(options),
        seed_(seed),
        run_(run),
        threads_{.threads = run.threads, .stop = {}, .progress = {}, .pool = run.pool},
        checkpoint_(checkpoint),
        optimiser_(parameters, options.optimiser) {
    for (Index e = 0; e < options.n_epochs; ++e) {
      check_stop(run_);
      report_.n_steps += steps_of(batches_of(e));
    }
    if (lesson_.watch) kept_ = parameters.values();  // harm may come before the first look or score
    if (!checkpoint_.file.empty() && std::filesystem::exists(checkpoint_.file)) resume();
    if (lesson_.resumed) lesson_.resumed(report_.steps, report_.n_steps);
  }

  Learnt finish() {
    try {
      while (report_.losses.size() < options_.n_epochs && !enough() && report_.harm.empty()) pass();
    } catch (const Error& e) {
      if (e.fault == Fault::cancelled && !checkpoint_.file.empty() && !within_step_) keep();
      throw;
    }
    if (!checkpoint_.file.empty()) keep();
    report_.stopped_early = report_.harm.empty() && report_.steps < report_.n_steps;
    if (report_.best || (!report_.harm.empty() && !kept_.empty())) {
      parameters_.take(kept_);
      if (lesson_.changed) lesson_.changed(parameters_);
    }
    for (Index i = 0; i < parameters_.size(); ++i) {
      const Matrix& value = parameters_[i].value;
      const std::span<const float> all(value.data(), value.rows() * value.cols());
      require(std::ranges::all_of(all, [](float v) { return std::isfinite(v); }), Fault::data,
              "what was learnt is no number after the last step: the learning rate is too high");
    }
    return std::move(report_);
  }

 private:
  std::vector<Batch> batches_of(Index epoch) const {
    if (lesson_.plan) return lesson_.plan(epoch);
    const auto order = order_of(lesson_.rows, seed_.child(epoch));
    std::vector<Batch> out;
    for (Index first = 0; first < order.size(); first += options_.batch_size) {
      const auto rows = std::span(order).subspan(first, std::min(options_.batch_size, order.size() - first));
      out.push_back({{rows.begin(), rows.end()}, 0, 0});
    }
    return out;
  }
  Index steps_of(const std::vector<Batch>& batches) const {
    return chunk_count(batches.size(), options_.accumulate);
  }

  bool enough() const {
    return options_.patience > 0 && report_.best && report_.scores.size() > *report_.best + options_.patience;
  }

  /// What is left of the epoch.
  void pass() {
    std::vector<Batch> batches = batches_of(report_.losses.size());
    for (Index i = 0; i < batches.size(); ++i) batches[i].number = first_batch_ + i;
    const Index steps = steps_of(batches);
    while (step_of_epoch_ < steps && report_.harm.empty() && !enough()) {
      check_stop(run_);
      const Index first = step_of_epoch_ * options_.accumulate;
      const Index count = std::min(options_.accumulate, batches.size() - first);
      step({batches.begin() + static_cast<std::ptrdiff_t>(first),
            batches.begin() + static_cast<std::ptrdiff_t>(first + count)},
           step_of_epoch_ + 1 == steps);
      if (!checkpoint_.file.empty() &&
          std::chrono::duration<double>(Clock::now() - last_kept_).count() > checkpoint_.seconds)
        keep();
    }
    if (step_of_epoch_ < steps) {
      if (rows_of_epoch_ > 0) report_.losses.push_back(loss_of_epoch_ / rows_of_epoch_);
      return;
    }
    report_.losses.push_back(loss_of_epoch_ / rows_of_epoch_);
    first_batch_ += batches.size();
    step_of_epoch_ = 0;
    loss_of_epoch_ = rows_of_epoch_ = 0;
  }

  void step(const std::vector<Batch>& batches, bool ends_epoch) {
    parameters_.clear_gradients(threads_);
    double loss = 0, of_rows = 0, rows = 0;
    for (const Batch& batch : batches) {
      const double of_batch = lesson_.batch(batch, parameters_);
      const auto n = static_cast<double>(batch.rows.size());
      loss += of_batch;
      of_rows += of_batch * n;
      rows += n;
    }
    loss /= static_cast<double>(batches.size());
    if (batches.size() > 1)
      parameters_.scale_gradients(static_cast<float>(1.0 / static_cast<double>(batches.size())), threads_);
    const double norm = report_.last_gradient_norm = parameters_.gradient_norm(threads_);
    if (!std::isfinite(loss) || !std::isfinite(norm)) return broken(batches);
    if (options_.max_norm > 0 && norm > options_.max_norm)
      parameters_.scale_gradients(static_cast<float>(options_.max_norm / norm), threads_);
    const double factor = rate_factor(options_.schedule, options_.warmup, report_.steps, report_.n_steps);
    within_step_ = true;  // what is not whole is not kept
    optimiser_.step(parameters_, factor, threads_);
    if (lesson_.changed) lesson_.changed(parameters_);
    ++report_.steps;
    ++step_of_epoch_;
    loss_of_epoch_ += of_rows;
    rows_of_epoch_ += rows;
    LearnStep done{.step = report_.steps,
                   .n_steps = report_.n_steps,
                   .epoch = report_.losses.size(),
                   .set = batches.front().set,
                   .loss = loss,
                   .gradient_norm = norm,
                   .learning_rate = options_.optimiser.learning_rate * factor,
                   .score = {}};
    const bool scored = lesson_.score && due(options_.score_every, ends_epoch);
    if (scored || due(options_.watch_every, ends_epoch)) watch();
    if (scored && report_.harm.empty()) done.score = judge();
    if (lesson_.log) lesson_.log(done);
    within_step_ = false;
    if (run_.progress)
      run_.progress("learn", static_cast<double>(report_.steps), static_cast<double>(report_.n_steps));
  }

  bool due(Index every, bool ends_epoch) const {
    return report_.steps == report_.n_steps || (every == 0 ? ends_epoch : report_.steps % every == 0);
  }

  void broken(const std::vector<Batch>& batches) {
    std::string what = "the loss or its gradient is no number at step " + std::to_string(report_.steps + 1) +
                       " of " + std::to_string(report_.n_steps);
    if (lesson_.name_rows) what += ", " + lesson_.name_rows(batches);
    what += ": the learning rate is too high, or the rows hold what is no number";
    require(!kept_.empty(), Fault::data, what);
    report_.harm = what;
  }

  void watch() {
    if (!lesson_.watch) return;
    report_.harm = lesson_.watch(parameters_, report_.steps);
    if (report_.harm.empty() && !report_.best) kept_ = parameters_.values();
  }

  double judge() {
    const double score = lesson_.score(parameters_);
    report_.scores.push_back(score);
    if (!report_.best || score > report_.scores[*report_.best]) {
      report_.best = report_.scores.size() - 1;
      kept_ = parameters_.values();
    }
    return score;
  }

  /// All that the answer hangs on, as text.
  std::string made_by() const {
    std::string out = std::to_string(lesson_.rows) + " rows, seed " + std::to_string(seed_.value) + ", " +
                      checkpoint_.made_by;
    for (const auto& fields : {list_fields(options_), list_fields(options_.optimiser)})
      for (const Field& field : fields) out += ", " + field.name + " " + text_of(field.value);
    return out;
  }

  void keep() {
    ArchiveWriter out(kKind);
    out.meta("made_by", made_by());
    parameters_.save(out, "now");
    for (Index i = 0; i < kept_.size(); ++i)
      if (kept_[i].rows() > 0)
        out.lend("kept " + parameters_[i].name, kept_[i].view(), {kept_[i].rows(), kept_[i].cols()});
    optimiser_.save(out, "optimiser");
    out.add("losses", std::span<const double>(report_.losses));
    out.add("scores", std::span<const double>(report_.scores));
    const std::vector<double> epoch{loss_of_epoch_, rows_of_epoch_};
    out.add("epoch", std::span<const double>(epoch));
    const std::vector<std::int64_t> counts{static_cast<std::int64_t>(report_.steps),
                                           static_cast<std::int64_t>(step_of_epoch_),
                                           static_cast<std::int64_t>(first_batch_)};
    out.add("counts", std::span<const std::int64_t>(counts));
    out.meta("best", report_.best ? std::to_string(*report_.best) : "");
    out.meta("harm", report_.harm);
    out.write(checkpoint_.file);
    last_kept_ = Clock::now();
  }

  void resume() {
    const ArchiveReader in(checkpoint_.file);
    const auto found = in.metadata().find("made_by");
    if (found == in.metadata().end() || found->second != made_by()) {
      if (lesson_.begun_anew) lesson_.begun_anew();
      return;
    }
    parameters_.load(in, "now");
    optimiser_.load(in, "optimiser");
    const auto count = [&](const char* name) { return in.tensor(name).count(); };
    report_.losses = in.doubles("losses", count("losses"));
    report_.scores = in.doubles("scores", count("scores"));
    const auto epoch = in.doubles("epoch", 2);
    loss_of_epoch_ = epoch[0], rows_of_epoch_ = epoch[1];
    const auto counts = in.integers("counts");
    require(counts.size() == 3 && std::ranges::all_of(counts, [](std::int64_t c) { return c >= 0; }) &&
                report_.losses.size() <= options_.n_epochs,
            Fault::format, checkpoint_.file.string() + ": it does not say how far it came");
    report_.steps = static_cast<Index>(counts[0]);
    step_of_epoch_ = static_cast<Index>(counts[1]);
    first_batch_ = static_cast<Index>(counts[2]);
    if (const std::string best = in.meta("best"); !best.empty()) {
      report_.best = static_cast<Index>(std::stoull(best));
      require(*report_.best < report_.scores.size(), Fault::format,
              checkpoint_.file.string() + ": its best parameters have no score");
    }
    report_.harm = in.meta("harm");
    kept_.clear();
    for (Index i = 0; i < parameters_.size(); ++i) {
      const Parameter& p = parameters_[i];
      const std::string name = "kept " + p.name;
      if (p.learns && in.has(name)) {
        kept_.resize(parameters_.size());
        kept_[i] = in.matrix(name, p.value.rows(), p.value.cols());
      }
      if (!p.table.empty()) std::ranges::fill(parameters_[i].table, TableRow::before);
    }
    if (lesson_.changed) lesson_.changed(parameters_);
  }

  Parameters& parameters_;
  const Lesson& lesson_;
  const LearnOptions& options_;
  Seed seed_;
  const Run& run_;
  const Run threads_;
  Checkpoint checkpoint_;
  AdamW optimiser_;
  Index step_of_epoch_ = 0, first_batch_ = 0;  // steps done of this epoch; batches of those before
  double loss_of_epoch_ = 0, rows_of_epoch_ = 0;
  ParameterValues kept_;  // the best, or the last that was well
  bool within_step_ = false;
  Clock::time_point last_kept_ = Clock::now();
  Learnt report_;
};

}  // namespace

Learnt learn(Parameters& parameters, const Lesson& lesson, const LearnOptions& options, Seed seed,
             const Run& run, const Checkpoint& checkpoint) {
  check_options(options);
  require(lesson.rows > 0, Fault::data, "there are no rows to learn from");
  return Learning(parameters, lesson, options, seed, run, checkpoint).finish();
}

}  // namespace shoal
