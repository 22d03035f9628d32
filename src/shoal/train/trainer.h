#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "shoal/core/fields.h"
#include "shoal/core/texts.h"
#include "shoal/learn/learn.h"
#include "shoal/measure/health.h"
#include "shoal/train/encoder.h"
#include "shoal/train/loss.h"
#include "shoal/train/sampler.h"

namespace shoal {

/// Rows to learn from, and what is made small on them.
struct TrainingSet {
  std::string name;            ///< for messages: its file
  std::vector<Texts> columns;  ///< of texts, as the loss wants them (needs_of); each of all rows
  Matrix targets;              ///< rows x numbers, as the loss wants them; or empty
  LossOptions loss;
  std::vector<Index> numbers;  ///< of each row in its file, from 1; empty: 1, 2, 3...

  Index rows() const { return columns.empty() ? 0 : columns.front().size(); }
};

/// A static model's learning rate: few rows get a gradient in a step, and nothing lies between them and the
/// loss.
inline constexpr double kStaticRate = 0.01;

/// How an encoder is trained.
struct TrainOptions {
  LearnOptions learn{.n_epochs = 3,
                     .batch_size = 32,
                     .optimiser = {.learning_rate = 2e-5},
                     .warmup = 0.1,
                     .max_norm = 1,
                     .watch_every = 50};
  std::optional<double> learning_rate;  ///< absent: that of `learn`; of a static model kStaticRate
  std::optional<Batching> batching;  ///< absent: no_duplicates for losses that set texts of a batch against
                                     ///< each other, group_by_label for those of labels, else shuffled
  Mixing mixing = Mixing::proportional;
  Index mini_batch = 0;           ///< rows that go through the model at once; 0: as many as fit into 512 MB
  std::optional<double> dropout;  ///< share; absent: as the model's config says
  bool freeze_embeddings = false;
  Index freeze_layers = 0;  ///< so many of the lowest layers do not learn; with the embeddings
  bool alarms = true;       ///< a collapse ends the training, and takes back what led to it
  bool any_margin = false;  ///< do not refuse a margin that the model's vectors cannot meet
  Seed seed{42};
};
template <class V>
void fields(TrainOptions& o, V&& visit) {
  visit("epochs", o.learn.n_epochs, "passes over the rows", at_least(1));
  visit("batch_size", o.learn.batch_size, "rows that are compared with each other", at_least(1));
  visit("accumulate", o.learn.accumulate, "batches whose gradients make a step together", at_least(1));
  visit("learning_rate", o.learning_rate,
        "how far a step goes, at most. Default: 2e-05, of a static model 0.01", above(0));
  visit("schedule", o.learn.schedule, "how the learning rate goes down");
  visit("warmup", o.learn.warmup, "share of the steps over which the learning rate rises", between(0, 1));
  visit("weight_decay", o.learn.optimiser.weight_decay, "how strongly weights are drawn to 0", at_least(0));
  visit("max_norm", o.learn.max_norm, "longer gradients are cut to this length; 0: never", at_least(0));
  visit("batching", o.batching,
        "which rows stand together in a batch. Default: no text twice for mnrl, by label for the batch_ "
        "losses, "
        "else any");
  visit("mixing", o.mixing, "how several files take turns");
  visit("mini_batch", o.mini_batch,
        "rows that go through the model at once; larger batches take more time for less memory. Default: as "
        "many as fit into 512 MB",
        at_least(0));
  visit("dropout", o.dropout, "share of numbers dropped; 0: none. Default: as the model says",
        at_least(0).below(1));
  visit("freeze_embeddings", o.freeze_embeddings, "vectors of tokens and positions stay as they are");
  visit("freeze_layers", o.freeze_layers,
        "so many of the lowest layers, and the embeddings, stay as they are", at_least(0));
  visit("score_every", o.learn.score_every, "steps between two scores on held-out rows; 0: after each epoch",
        at_least(0));
  visit("patience", o.learn.patience, "scores without a better one after which it ends; 0: never",
        at_least(0));
  visit("alarms", o.alarms, "stop at a collapse of the space, and take back what led to it");
  visit("watch_every", o.learn.watch_every, "steps between two looks for alarms; 0: after each epoch",
        at_least(0));
  visit("any_margin", o.any_margin, "take a margin that vectors of length 1 cannot meet");
  visit("seed", o.seed, "start of all randomness");
}

struct TrainReport {
  Learnt learnt;
  double learning_rate = 0;
  Index rows = 0, batches = 0;  ///< of an epoch: the first
  Index tokens = 0;             ///< of all texts, once
  Index cut = 0;                ///< texts longer than the model's limit
  Index frozen = 0;             ///< parameters that did not learn
  Index left_out = 0;           ///< rows that are in no batch of the first epoch (sampler.h)
  Health before, after;         ///< of the same texts
  Index health_texts = 0;
  double seconds = 0;  ///< that the steps took, with scores and looks between them
};

/// What is told while it trains, and asked.
struct TrainHooks {
  /// Held-out quality, higher is better; the best model is kept. Empty: the last is.
  std::function<double(const TrainableEncoder& model)> score;
  std::function<void(const LearnStep& step)> log;
  std::function<void(Index step, const Health& health)> health;  ///< at step 0, and at each look
  /// Before the first step: where it goes on, and the seconds that the rest will take, from a few batches
  /// that are tried.
  std::function<void(const TrainReport& so_far, Index step, double seconds)> begins;
  std::function<void()> begun_anew;  ///< the checkpoint that is there is of other rows, options or seed
  /// After the last step; `look` looks at the model as it is then.
  std::function<void(const std::function<Health()>& look)> finished;
};

/// Trains the model on all sets. Same model, sets, options and seed: same bits, for any threads and any
/// instruction set, and if it was stopped and goes on from the checkpoint. Error(argument), Error(data) as
/// check_loss and check_targets, with the set's name; Error(data) if a set has no rows, or a batch of rows
/// that are set against each other would have one. Memory: 16 bytes a weight that learns and 12 a weight for
/// packed matrices, the texts' tokens, and what a mini-batch leaves. Steps "tokenize", "learn".
TrainReport train_encoder(TrainableEncoder& model, const std::vector<TrainingSet>& sets,
                          const TrainOptions& options, const TrainHooks& hooks = {}, const Run& run = {},
                          const Checkpoint& checkpoint = {});

}  // namespace shoal
