#include "shoal/train/cross_trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "shoal/core/error.h"
#include "shoal/train/course_impl.h"

namespace shoal {
namespace {

constexpr std::uint64_t kOrders = 1, kDropout = 2;  // seeds of different purposes

class CrossTraining {
 public:
  CrossTraining(CrossNetwork& model, const std::vector<CrossTrainingSet>& sets, const TrainOptions& options,
                const CrossTrainHooks& hooks, const Run& run)
      : model_(model),
        sets_(sets),
        options_(options),
        hooks_(hooks),
        run_(run),
        threads_{.threads = run.threads, .stop = run.stop, .progress = {}, .pool = run.pool},
        learn_(learn_options(options, options.learn.optimiser.learning_rate)),
        dropout_(model.dropout()) {
    check_options(options);
    require(!sets.empty(), Fault::argument, "there is nothing to train on");
    require(options.batching.value_or(Batching::shuffled) == Batching::shuffled, Fault::argument,
            option_name("batching") + " is of sentence encoders; pairs of a cross-encoder are shuffled");
    report_.frozen = freeze_parts(model.parameters, options, model.folder().model.transformer.layers);
    report_.learning_rate = learn_.optimiser.learning_rate;
    for (const CrossTrainingSet& set : sets) {
      check(set);
      tokens_.push_back(model.tokenize(set.firsts, set.seconds, run));
      report_.rows += set.rows();
      report_.tokens += tokens_.back().ids.size();
      report_.cut += tokens_.back().cut;
    }
    if (options.dropout) {
      dropout_.network.hidden = dropout_.network.attention = dropout_.head = *options.dropout;
    }
  }

  TrainReport finish(const Checkpoint& checkpoint) {
    Lesson lesson;
    lesson.rows = report_.rows;
    lesson.plan = [this](Index epoch) { return plan(epoch); };
    lesson.batch = [this](const Batch& batch, Parameters&) { return learn_from(batch); };
    lesson.changed = [this](const Parameters&) { model_.prepare(without_stop()); };
    if (hooks_.score) lesson.score = [this](const Parameters&) { return hooks_.score(model_); };
    lesson.log = hooks_.log;
    lesson.begun_anew = hooks_.begun_anew;
    lesson.resumed = [this](Index step, Index n_steps) {
      if (hooks_.begins) hooks_.begins(report_, step, share_left(step, n_steps) * seconds());
    };
    lesson.name_rows = [this](const std::vector<Batch>& batches) {
      return name_rows(batches, [this](Index set) {
        const CrossTrainingSet& of = sets_[set];
        return RowNames{of.name, of.numbers};
      });
    };
    report_.batches = plan(0).size();
    const auto start = std::chrono::steady_clock::now();
    report_.learnt = learn(model_.parameters, lesson, learn_, options_.seed, run_, checkpoint);
    report_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return std::move(report_);
  }

 private:
  Run without_stop() const {
    return {.threads = run_.threads, .stop = {}, .progress = {}, .pool = run_.pool};
  }

  void check(const CrossTrainingSet& set) const {
    require(set.rows() > 0, Fault::data, set.name + ": there are no rows to learn from");
    require(set.seconds.size() == set.rows() && set.targets.rows() == set.rows(), Fault::argument,
            set.name + ": " + std::to_string(set.rows()) + " first texts, " +
                std::to_string(set.seconds.size()) + " second ones and " +
                std::to_string(set.targets.rows()) + " targets");
    require((set.loss == CrossLoss::ce) == (model_.labels() > 1), Fault::argument,
            set.name + ": " + std::string(name_of(set.loss)) + " is of " +
                (set.loss == CrossLoss::ce ? "several labels" : "one label") + "; the model has " +
                std::to_string(model_.labels()));
    for (Index i = 0; i < set.rows(); ++i)
      if (const std::string allowed = targets_instead(set.loss, set.targets[i][0], model_.labels());
          !allowed.empty())
        throw Error(Fault::data, set.name + ": " + std::string(name_of(set.loss)) + ": the target of row " +
                                     std::to_string(set.numbers.empty() ? i + 1 : set.numbers[i]) + " is " +
                                     text_of(set.targets[i][0]) + "; allowed: " + allowed);
    bool differ = false;
    for (Index i = 1; i < set.rows(); ++i) differ = differ || set.targets[i][0] != set.targets[0][0];
    require(differ, Fault::data,
            set.name + ": all targets are " + std::to_string(set.targets[0][0]) +
                "; the model would learn to say that of every pair");
  }

  std::vector<Batch> plan(Index epoch) const {
    std::vector<Batches> all;
    for (Index s = 0; s < sets_.size(); ++s)
      all.push_back(shuffled_batches(sets_[s].rows(), options_.learn.batch_size, 1,
                                     options_.seed.child(kOrders).child(s), epoch));
    return in_turns(all, options_.mixing, options_.seed.child(kOrders).child(sets_.size()), epoch);
  }

  Index tokens_of(const Batch& batch) const {
    Index out = 0;
    for (const Index row : batch.rows) out += tokens_[batch.set][row].size();
    return out;
  }

  /// Adds the gradients of a batch, part by part: the loss is a mean over its pairs.
  double learn_from(const Batch& batch) {
    const CrossTrainingSet& set = sets_[batch.set];
    const PairTokens& tokens = tokens_[batch.set];
    const std::vector<Index> parts =
        parts_of(batch.rows.size(), options_.mini_batch, tokens_that_fit(model_.folder().model.transformer),
                 [&](Index row) { return tokens[batch.rows[row]].size(); });
    const Seed seed = options_.seed.child(kDropout).child(batch.number);
    CrossDropout dropout = dropout_;
    double total = 0;
    for (Index part = 0; part + 1 < parts.size(); ++part) {
      const auto rows = std::span(batch.rows).subspan(parts[part], parts[part + 1] - parts[part]);
      dropout.network.seed = seed.child(part);
      const Matrix logits = model_.forward(tokens, rows, dropout, pass_, threads_);
      Matrix targets(rows.size(), 1);
      for (Index i = 0; i < rows.size(); ++i) targets[i][0] = set.targets[rows[i]][0];
      CrossLossValue found = cross_loss(set.loss, logits.view(), targets.view(), set.positive_weight);
      const double share = static_cast<double>(rows.size()) / static_cast<double>(batch.rows.size());
      total += share * found.loss;
      if (!std::isfinite(total)) return total;
      if (share != 1)
        for (Index i = 0; i < found.slope.rows(); ++i)
          for (float& x : found.slope[i]) x = static_cast<float>(share * static_cast<double>(x));
      model_.backward(pass_, found.slope.view(), threads_);
    }
    return total;
  }

  /// Of the whole training, from a few batches, whose gradients are thrown away.
  double seconds() {
    return whole_seconds(plan(0), options_.learn.n_epochs, model_.parameters,
                         {.tokens_of = [this](const Batch& batch) { return tokens_of(batch); },
                          .learn_from = [this](const Batch& batch) { learn_from(batch); },
                          .prepare = [this] { model_.prepare(threads_); }},
                         threads_);
  }

  CrossNetwork& model_;
  const std::vector<CrossTrainingSet>& sets_;
  const TrainOptions& options_;
  const CrossTrainHooks& hooks_;
  const Run& run_;
  const Run threads_;
  const LearnOptions learn_;
  CrossDropout dropout_;
  std::vector<PairTokens> tokens_;
  CrossPass pass_;
  TrainReport report_;
};

}  // namespace

TrainReport train_cross(CrossNetwork& model, const std::vector<CrossTrainingSet>& sets,
                        const TrainOptions& options, const CrossTrainHooks& hooks, const Run& run,
                        const Checkpoint& checkpoint) {
  Checkpoint own = checkpoint;
  own.made_by += ", cross";
  for (const Field& field : list_fields(options))
    own.made_by += ", " + field.name + " " + text_of(field.value);
  return CrossTraining(model, sets, options, hooks, run).finish(own);
}

}  // namespace shoal
