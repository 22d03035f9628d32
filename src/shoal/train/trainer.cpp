#include "shoal/train/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <span>
#include <utility>

#include "shoal/core/error.h"
#include "shoal/train/course_impl.h"

namespace shoal {
namespace {

using Ids = std::span<const std::uint32_t>;

constexpr Index kHealthTexts = 128;

// Seeds of different purposes.
constexpr std::uint64_t kOrders = 1, kDropout = 2, kHealth = 3;

/// A set as the model reads it.
struct ReadySet {
  const TrainingSet* set = nullptr;
  std::vector<Tokens> columns;
  Batching batching = Batching::shuffled;
  std::vector<std::uint32_t> text_numbers;
  Labels labels;
};

Labels labels_of(const Matrix& targets) {
  Labels out;
  for (Index i = 0; i < targets.rows(); ++i) {
    out.of.push_back(static_cast<Label>(targets[i][0]));
    out.count = std::max<Index>(out.count, static_cast<Index>(out.of.back()) + 1);
  }
  return out;
}

Batching batching_of(const TrainingSet& set, const TrainOptions& options) {
  const bool by_label = needs_of(set.loss.kind).targets == LossTargets::label;
  if (options.batching) {
    require(*options.batching != Batching::group_by_label || by_label, Fault::argument,
            option_name("batching") + " is group_by_label, but the loss " +
                std::string(name_of(set.loss.kind)) + " needs no labels");
    return *options.batching;
  }
  return by_label                                  ? Batching::group_by_label
         : takes_rows_for_negatives(set.loss.kind) ? Batching::no_duplicates
                                                   : Batching::shuffled;
}

/// A static model has nothing but its table.
void refuse_for_static(const TrainOptions& options) {
  const auto refuse = [](const char* option) {
    throw Error(Fault::argument, option_name(option) +
                                     " is of transformers; a static model has a vector for each token and no "
                                     "layers");
  };
  if (options.dropout) refuse("dropout");
  if (options.freeze_embeddings) refuse("freeze_embeddings");
  if (options.freeze_layers > 0) refuse("freeze_layers");
}

class Training {
 public:
  Training(TrainableEncoder& model, const std::vector<TrainingSet>& sets, const TrainOptions& options,
           const TrainHooks& hooks, const Run& run)
      : model_(model),
        options_(options),
        hooks_(hooks),
        run_(run),
        threads_{.threads = run.threads, .stop = run.stop, .progress = {}, .pool = run.pool},
        learn_(
            learn_options(options, model.is_static() ? kStaticRate : options.learn.optimiser.learning_rate)),
        most_tokens_(model.is_static() ? ~Index{0} : tokens_that_fit(model.model().transformer)) {
    check_options(options);
    require(!sets.empty(), Fault::argument, "there is nothing to train on");
    if (model.is_static()) refuse_for_static(options);
    report_.frozen = freeze_parts(model.parameters, options, model.model().transformer.layers);
    report_.learning_rate = learn_.optimiser.learning_rate;
    for (const TrainingSet& set : sets) ready(set);
    dropout_ = options.dropout
                   ? NetworkDropout{.hidden = *options.dropout, .attention = *options.dropout, .seed = {}}
                   : model.dropout();
    gather_health();
  }

  TrainReport finish(const Checkpoint& checkpoint) {
    Lesson lesson;
    for (const ReadySet& ready : sets_) lesson.rows += ready.set->rows();
    lesson.plan = [this](Index epoch) { return plan(epoch); };
    lesson.batch = [this](const Batch& batch, Parameters&) { return learn_from(batch); };
    lesson.changed = [this](const Parameters&) { model_.prepare(threads_without_stop()); };
    if (hooks_.score) lesson.score = [this](const Parameters&) { return hooks_.score(model_); };
    lesson.log = hooks_.log;
    lesson.begun_anew = hooks_.begun_anew;
    lesson.resumed = [this](Index step, Index n_steps) {
      if (hooks_.begins) hooks_.begins(report_, step, share_left(step, n_steps) * seconds());
    };
    lesson.name_rows = [this](const std::vector<Batch>& batches) {
      return name_rows(batches, [this](Index set) {
        const TrainingSet& of = *sets_[set].set;
        return RowNames{of.name, of.numbers};
      });
    };
    report_.before = look();
    if (hooks_.health) hooks_.health(0, report_.before);
    lesson.watch = [this](const Parameters&, Index step) {
      const Health now = look();
      if (hooks_.health) hooks_.health(step, now);
      // What is no number is no matter of alarms: it must not be kept as sound.
      const bool look_away = !options_.alarms && std::isfinite(now.mean_cosine);
      return look_away ? std::string() : harm_of(reference(), now);
    };
    report_.batches = plan(0).size();
    for (Index set = 0; set < sets_.size(); ++set) report_.left_out += batches_of(set, 0).left_out.size();
    const auto start = std::chrono::steady_clock::now();
    report_.learnt = learn(model_.parameters, lesson, learn_, options_.seed, run_, checkpoint);
    report_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    report_.after = look();
    if (hooks_.finished) hooks_.finished([this] { return look(); });
    return std::move(report_);
  }

  /// Of the whole training, from a few batches, whose gradients are thrown away.
  double seconds() {
    return whole_seconds(
        plan(0), options_.learn.n_epochs, model_.parameters,
        {.tokens_of = [this](const Batch& batch) { return tokens_of(batch, 0, batch.rows.size()); },
         .learn_from = [this](const Batch& batch) { learn_from(batch); },
         .prepare = [this] { model_.prepare(threads_); }},
        threads_);
  }

 private:
  Run threads_without_stop() const {
    return {.threads = run_.threads, .stop = {}, .progress = {}, .pool = run_.pool};
  }

  void ready(const TrainingSet& set) {
    require(set.rows() > 0, Fault::data, set.name + ": there are no rows to learn from");
    try {
      const bool unit = !model_.model().head.empty() &&
                        model_.model().head.back().kind == StepKind::normalize &&
                        model_.dims() == model_.model().dims;
      check_loss(set.loss, set.columns.size(), model_.dims());
      if (!options_.any_margin) check_margin(set.loss, unit);
      if (needs_of(set.loss.kind).targets != LossTargets::none)
        check_targets(set.loss, set.targets.view(), set.columns.size(), model_.dims(), set.numbers);
    } catch (const Error& e) {
      throw Error(e.fault, set.name + ": " + e.marked, e.hint);
    }
    ReadySet out{
        .set = &set, .columns = {}, .batching = batching_of(set, options_), .text_numbers = {}, .labels = {}};
    std::vector<const Texts*> columns;
    for (const Texts& column : set.columns) {
      out.columns.push_back(model_.tokenize(column, run_));
      report_.tokens += out.columns.back().ids.size();
      report_.cut += out.columns.back().cut;
      columns.push_back(&column);
    }
    report_.rows += set.rows();
    if (out.batching == Batching::no_duplicates) out.text_numbers = text_numbers(columns);
    if (out.batching == Batching::group_by_label) out.labels = labels_of(set.targets);
    sets_.push_back(std::move(out));
  }

  Batches batches_of(Index number, Index epoch) const {
    const ReadySet& ready = sets_[number];
    const Seed seed = options_.seed.child(kOrders).child(number);
    const Index least = uses_other_rows(ready.set->loss.kind) ? 2 : 1;
    switch (ready.batching) {
      case Batching::no_duplicates:
        return batches_without_duplicates(ready.text_numbers, ready.columns.size(), options_.learn.batch_size,
                                          least, seed, epoch);
      case Batching::group_by_label:
        return batches_by_label(ready.labels, options_.learn.batch_size, seed, epoch);
      case Batching::shuffled:
        break;
    }
    return shuffled_batches(ready.set->rows(), options_.learn.batch_size, least, seed, epoch);
  }

  std::vector<Batch> plan(Index epoch) const {
    std::vector<Batches> all;
    for (Index s = 0; s < sets_.size(); ++s) {
      all.push_back(batches_of(s, epoch));
      const bool alone =
          all.back().size() == 0 || (all.back()[0].size() < 2 && uses_other_rows(sets_[s].set->loss.kind));
      require(!alone, Fault::data,
              sets_[s].set->name +
                  ": no batch can be made of its rows, which are set against each other: at least two of "
                  "different texts are needed, or two labels with two rows each");
    }
    return in_turns(all, options_.mixing, options_.seed.child(kOrders).child(sets_.size()), epoch);
  }

  Index tokens_of(const Batch& batch, Index first, Index last) const {
    Index n = 0;
    for (const Ids text : texts_of(batch, first, last)) n += text.size();
    return n;
  }

  /// Of rows [first, last) of the batch, column by column.
  std::vector<Ids> texts_of(const Batch& batch, Index first, Index last) const {
    std::vector<Ids> out;
    for (const Tokens& column : sets_[batch.set].columns)
      for (Index i = first; i < last; ++i) out.push_back(column[batch.rows[i]]);
    return out;
  }

  /// Adds the gradients of a batch. In several parts (Gao et al. 2021, GradCache): all vectors first, then
  /// the loss and its slopes, then part by part the forward pass once more, with the same numbers dropped,
  /// and the backward pass.
  double learn_from(const Batch& batch) {
    const ReadySet& ready = sets_[batch.set];
    const Index rows = batch.rows.size(), columns = ready.columns.size(), d = model_.dims();
    const std::vector<Index> parts = parts_of(rows, options_.mini_batch, most_tokens_,
                                              [&](Index row) { return tokens_of(batch, row, row + 1); });
    const bool whole = parts.size() == 2;
    NetworkDropout dropout = dropout_;
    const Seed seed = options_.seed.child(kDropout).child(batch.number);
    Matrix vectors(rows * columns, d);
    const auto forward = [&](Index part) {
      const Index first = parts[part], n = parts[part + 1] - first;
      dropout.seed = seed.child(part);
      const Matrix found = model_.forward(texts_of(batch, first, first + n), dropout, pass_, threads_);
      for (Index c = 0; c < columns; ++c)
        std::copy_n(found[c * n].data(), n * d, vectors[c * rows + first].data());
    };
    for (Index part = 0; part + 1 < parts.size(); ++part) forward(part);

    LossBatch of;
    for (Index c = 0; c < columns; ++c) of.columns.push_back(vectors.view().slice(c * rows, rows));
    const Matrix targets = targets_of(batch);
    of.targets = targets.view();
    std::vector<Matrix> slopes;
    const double value = loss(ready.set->loss, of, slopes, threads_);
    if (!std::isfinite(value)) return value;

    for (Index part = 0; part + 1 < parts.size(); ++part) {
      if (!whole) forward(part);
      const Index first = parts[part], n = parts[part + 1] - first;
      Matrix slope(n * columns, d);
      for (Index c = 0; c < columns; ++c) std::copy_n(slopes[c][first].data(), n * d, slope[c * n].data());
      model_.backward(pass_, std::move(slope), threads_);
    }
    return value;
  }

  Matrix targets_of(const Batch& batch) const {
    const Matrix& all = sets_[batch.set].set->targets;
    Matrix out(all.rows() > 0 ? batch.rows.size() : 0, all.cols());
    for (Index i = 0; i < out.rows(); ++i) std::ranges::copy(all[batch.rows[i]], out[i].begin());
    return out;
  }

  /// Draws the texts whose vectors are looked at, and which of them belong together.
  void gather_health() {
    const Index each = std::max<Index>(4, kHealthTexts / sets_.size());
    for (const ReadySet& ready : sets_) {
      const bool pairs = ready.columns.size() > 1;
      const Index rows = ready.set->rows();
      const auto order = shuffled(rows, options_.seed.child(kHealth), 0);
      const LossTargets kind = needs_of(ready.set->loss.kind).targets;
      const Index begin = health_texts_.size();
      std::vector<float> said;
      for (Index i = 0; i < std::min(rows, pairs ? each / 2 : each); ++i) {
        const Index row = order[i];
        health_texts_.push_back(ready.columns[0][row]);
        said.push_back(ready.set->targets.rows() > 0 ? ready.set->targets[row][0] : 1.0f);
        if (!pairs) continue;
        health_texts_.push_back(ready.columns[1][row]);
        const bool positive =
            kind == LossTargets::none ||
            ((kind == LossTargets::score || kind == LossTargets::binary) && said.back() >= 0.8f);
        if (positive) together_.emplace_back(health_texts_.size() - 2, health_texts_.size() - 1);
      }
      if (kind == LossTargets::label)
        for (Index i = 0; i < said.size(); ++i)
          for (Index j = 0; j < i; ++j)
            if (said[i] == said[j]) together_.emplace_back(begin + j, begin + i);
    }
    for (const ReadySet& ready : sets_) {
      if (needs_of(ready.set->loss.kind).targets != LossTargets::teacher_vectors) continue;
      const auto order = shuffled(ready.set->rows(), options_.seed.child(kHealth), 0);
      const Index n = std::min<Index>(order.size(), each);
      teacher_vectors_ = Matrix(n, model_.dims());
      for (Index i = 0; i < n; ++i)
        std::copy_n(ready.set->targets[order[i]].data(), model_.dims(), teacher_vectors_[i].data());
      break;
    }
    report_.health_texts = health_texts_.size();
  }

  Health look() {
    const Matrix vectors = model_.encode(health_texts_, threads_without_stop());
    return health_of(vectors.view(), together_);
  }

  /// What harm is measured from: a teacher's vectors may lie closer together than those at the beginning.
  Health reference() const {
    Health out = report_.before;
    if (teacher_vectors_.rows() < 2) return out;
    const Health teacher = health_of(teacher_vectors_.view(), {});
    out.mean_cosine = std::max(out.mean_cosine, teacher.mean_cosine);
    out.effective_rank = std::min(out.effective_rank, teacher.effective_rank);
    return out;
  }

  TrainableEncoder& model_;
  const TrainOptions& options_;
  const TrainHooks& hooks_;
  const Run& run_;
  const Run threads_;
  const LearnOptions learn_;
  NetworkDropout dropout_;
  const Index most_tokens_;  // of a part
  std::vector<ReadySet> sets_;
  EncoderPass pass_;
  std::vector<Ids> health_texts_;
  std::vector<std::pair<Index, Index>> together_;
  Matrix teacher_vectors_;  // of some of them
  TrainReport report_;
};

}  // namespace

TrainReport train_encoder(TrainableEncoder& model, const std::vector<TrainingSet>& sets,
                          const TrainOptions& options, const TrainHooks& hooks, const Run& run,
                          const Checkpoint& checkpoint) {
  Checkpoint own = checkpoint;
  for (const Field& field : list_fields(options))
    own.made_by += ", " + field.name + " " + text_of(field.value);
  return Training(model, sets, options, hooks, run).finish(own);
}

}  // namespace shoal
