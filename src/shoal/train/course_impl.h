#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "shoal/learn/learn.h"
#include "shoal/train/sampler.h"
#include "shoal/train/trainer.h"

namespace shoal {

// What training an encoder and training a cross-encoder have in common.

/// The parts that the options name do not learn from now on; returns how many parameters that are.
/// Error(argument) for more layers than there are, and if nothing is left that learns.
Index freeze_parts(Parameters& parameters, const TrainOptions& options, Index layers);

/// How parameters learn by these options; default_rate: the learning rate if they name none.
LearnOptions learn_options(const TrainOptions& options, double default_rate);

/// The rows of these batches as people know them: "rows 17, 23 of pairs.csv".
struct RowNames {
  const std::string& set;
  const std::vector<Index>& numbers;  ///< of each row in its file; empty: 1, 2, 3...
};
std::string name_rows(const std::vector<Batch>& batches, const std::function<RowNames(Index set)>& names);

/// The batches of all sets in the order in which sets take turns.
std::vector<Batch> in_turns(const std::vector<Batches>& sets, Mixing mixing, Seed seed, Index epoch);

/// First rows of the parts of a batch that go through the model at once, and one more: `mini_batch` rows
/// each, or, if that is 0, as many as have no more than `most_tokens` together.
std::vector<Index> parts_of(Index rows, Index mini_batch, Index most_tokens,
                            const std::function<Index(Index row)>& tokens_of);

/// Of all steps those that are still to be made.
double share_left(Index step, Index n_steps);

/// What a trial of a few batches needs.
struct Trial {
  std::function<Index(const Batch& batch)> tokens_of;
  std::function<void(const Batch& batch)> learn_from;  ///< adds gradients
  std::function<void()> prepare;                       ///< as after a step
};
/// Seconds that `n_epochs` of such batches will take, from the first few, whose gradients are thrown away.
double whole_seconds(const std::vector<Batch>& batches, Index n_epochs, Parameters& parameters,
                     const Trial& trial, const Run& run);

}  // namespace shoal
