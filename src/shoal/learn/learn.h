#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "shoal/core/fields.h"
#include "shoal/core/random.h"
#include "shoal/core/run.h"
#include "shoal/learn/adamw.h"
#include "shoal/learn/parameters.h"
#include "shoal/learn/schedule.h"

namespace shoal {

/// How something is learnt by steps.
struct LearnOptions {
  Index n_epochs = 20;     ///< most passes over the rows, >= 1
  Index batch_size = 64;   ///< rows of a batch, >= 1
  Index accumulate = 1;    ///< batches whose gradients make a step together, >= 1
  AdamWOptions optimiser;  ///< AdamW
  Schedule schedule = Schedule::linear;
  double warmup = 0;      ///< share of the steps over which the rate rises, 0..1
  double max_norm = 0;    ///< longer gradients are cut to this length; 0: never
  Index score_every = 0;  ///< steps between two scores; 0: after each epoch
  Index watch_every = 0;  ///< steps between two looks at the parameters' health; 0: after each epoch
  Index patience = 0;     ///< scores without a better one after which it ends; 0: it never does
};
template <class V>
void fields(LearnOptions& o, V&& visit) {
  visit("n_epochs", o.n_epochs, "most passes over the rows", at_least(1));
  visit("batch_size", o.batch_size, "rows of a batch", at_least(1));
  visit("accumulate", o.accumulate, "batches whose gradients make a step together", at_least(1));
  fields(o.optimiser, visit);
  visit("schedule", o.schedule, "how the learning rate goes down");
  visit("warmup", o.warmup, "share of the steps over which the learning rate rises", between(0, 1));
  visit("max_norm", o.max_norm, "longer gradients are cut to this length; 0: never", at_least(0));
  visit("score_every", o.score_every, "steps between two scores on held-out rows; 0: after each epoch",
        at_least(0));
  visit("watch_every", o.watch_every, "steps between two looks for alarms; 0: after each epoch", at_least(0));
  visit("patience", o.patience, "scores without a better one after which it ends; 0: never", at_least(0));
}

/// Rows whose gradients are made together.
struct Batch {
  std::vector<Index> rows;
  Index set = 0;     ///< which of several sets they are of
  Index number = 0;  ///< of the batch, since the beginning: what is drawn for it begins here
};

/// What a step did, and what was seen after it.
struct LearnStep {
  Index step = 0, n_steps = 0;  ///< 1..n_steps
  Index epoch = 0;
  Index set = 0;             ///< of its first batch
  double loss = 0;           ///< mean of its batches
  double gradient_norm = 0;  ///< before it was cut
  double learning_rate = 0;
  std::optional<double> score;
};

/// What is learnt from: `batch` adds the gradients of the mean loss of these rows to the parameters and
/// returns that loss. It must fold sums in a written order, so that threads do not change the result.
struct Lesson {
  Index rows = 0;
  std::function<double(const Batch& batch, Parameters& parameters)> batch;
  /// The batches of an epoch; a function of the epoch alone. Absent: all rows, in an order drawn from the
  /// seed, batch_size at a time.
  std::function<std::vector<Batch>(Index epoch)> plan;
  /// After each step, and after parameters were read back: what was made from them is made anew.
  std::function<void(const Parameters& parameters)> changed;
  /// Higher is better; the best parameters are kept.
  std::function<double(const Parameters& parameters)> score;
  /// Whether the parameters have come to harm at a step: says how, or nothing if all is well. Then learning
  /// ends, with the best parameters so far, or those of the last look at which all was well.
  std::function<std::string(const Parameters& parameters, Index step)> watch;
  std::function<void(const LearnStep& step)> log;          ///< after each step
  std::function<void(Index step, Index n_steps)> resumed;  ///< before any step: where it goes on
  std::function<void()> begun_anew;  ///< the checkpoint that is there is of other rows, options or seed
  /// The loss or a gradient is no number: what the rows of these batches are, for the message.
  std::function<std::string(const std::vector<Batch>& batches)> name_rows;
};

/// What came of it.
struct Learnt {
  std::vector<double> losses;     ///< mean over the batches, of each epoch
  std::vector<double> scores;     ///< in their order, if there is a score
  std::optional<Index> best;      ///< of the scores, whose parameters were kept; absent without a score
  Index steps = 0, n_steps = 0;   ///< that were made, and would have been
  bool stopped_early = false;     ///< by patience
  std::string harm;               ///< what `watch` or a loss that is no number said; empty: all went well
  double last_gradient_norm = 0;  ///< of the last step, before it was cut
};

/// Where and how often what it takes to go on is kept.
struct Checkpoint {
  std::filesystem::path file;  ///< empty: nowhere
  double seconds = 120;        ///< between two; besides when it is stopped, and at the end
  std::string made_by;         ///< what the answer hangs on besides options and seed, as the rows
};

/// Goes through all rows again and again, batch by batch, with a step of AdamW after each, or after some.
/// Same rows, options and seed: same bits, also if it was stopped and goes on from the checkpoint. A
/// checkpoint that other options, another seed or other rows made is not used. At the end it has the end, and
/// stays: what follows may still fail.
/// A loss or a gradient that is not finite: the parameters kept by score or watch, and `harm`; Error(data)
/// naming epoch and step if there are none: the rate is too high, or the rows are broken.
Learnt learn(Parameters& parameters, const Lesson& lesson, const LearnOptions& options, Seed seed,
             const Run& run = {}, const Checkpoint& checkpoint = {});

}  // namespace shoal
