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
  Index batch_size = 64;   ///< rows whose gradients make a step, >= 1
  AdamWOptions optimiser;  ///< AdamW
  Schedule schedule = Schedule::linear;
  double warmup = 0;    ///< share of the steps over which the rate rises, 0..1
  double max_norm = 0;  ///< longer gradients are cut to this length; 0: never
  Index patience = 0;   ///< epochs without a better score after which it ends; 0: it never does
};
template <class V>
void fields(LearnOptions& o, V&& visit) {
  visit("n_epochs", o.n_epochs, "most passes over the rows", at_least(1));
  visit("batch_size", o.batch_size, "rows that make a step", at_least(1));
  fields(o.optimiser, visit);
  visit("schedule", o.schedule, "how the learning rate goes down");
  visit("warmup", o.warmup, "share of the steps over which the learning rate rises", between(0, 1));
  visit("max_norm", o.max_norm, "longer gradients are cut to this length; 0: never", at_least(0));
  visit("patience", o.patience, "epochs without a better score after which it ends; 0: never", at_least(0));
}

/// What is learnt from: `batch` adds the gradients of the mean loss of these rows to the parameters and
/// returns that loss. It must fold sums in a written order, so that threads do not change the result.
struct Lesson {
  Index rows = 0;
  std::function<double(std::span<const Index> rows, Parameters& parameters)> batch;
  /// After each epoch, if there is one: higher is better; the parameters of the best epoch are kept.
  std::function<double(const Parameters& parameters)> score;
};

/// What came of it.
struct Learnt {
  std::vector<double> losses;       ///< mean over the batches, of each epoch
  std::vector<double> scores;       ///< of each epoch, if there is a score
  std::optional<Index> best_epoch;  ///< whose parameters were kept; absent without a score
  bool stopped_early = false;       ///< by patience
  double last_gradient_norm = 0;    ///< of the last step, before it was cut
};

/// Goes through all rows again and again, in an order drawn from the seed, batch by batch, with a step of
/// AdamW after each. Same rows, options and seed: same bits. `checkpoint`: after each epoch all that it takes
/// to go on is written there; if the file is there, made with the same options and seed, that is done, and it
/// is removed at the end. Error(data) if a loss or a gradient is not finite, naming epoch and step: the rate
/// is too high, or the rows are broken.
Learnt learn(Parameters& parameters, const Lesson& lesson, const LearnOptions& options, Seed seed,
             const Run& run = {}, const std::filesystem::path& checkpoint = {});

}  // namespace shoal
