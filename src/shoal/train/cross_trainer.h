#pragma once

#include <functional>
#include <string>
#include <vector>

#include "shoal/core/texts.h"
#include "shoal/learn/learn.h"
#include "shoal/train/cross_loss.h"
#include "shoal/train/cross_network.h"
#include "shoal/train/trainer.h"

namespace shoal {

/// Pairs to learn from, and what is made small on them.
struct CrossTrainingSet {
  std::string name;  ///< for messages: its file
  Texts firsts, seconds;
  Matrix targets;  ///< rows x 1, as the loss wants them
  CrossLoss loss = CrossLoss::bce;
  double positive_weight = 1;  ///< of bce: how much a target of 1 counts beside one of 0
  std::vector<Index> numbers;  ///< of each row in its file, from 1; empty: 1, 2, 3...

  Index rows() const { return firsts.size(); }
};

/// What is told while it trains, and asked.
struct CrossTrainHooks {
  /// Held-out quality, higher is better; the best model is kept. Empty: the last is.
  std::function<double(const CrossNetwork& model)> score;
  std::function<void(const LearnStep& step)> log;
  /// Before the first step: where it goes on, and the seconds that the rest will take, from a few batches
  /// that are tried.
  std::function<void(const TrainReport& so_far, Index step, double seconds)> begins;
  std::function<void()> begun_anew;  ///< the checkpoint that is there is of other rows, options or seed
};

/// Trains the model on all sets, pairs in a random order. Of the options, batching, alarms and any_margin are
/// of sentence encoders: a batching other than shuffled is Error(argument). Same model, sets, options and
/// seed: same bits, for any threads and any instruction set, and if it was stopped and goes on from the
/// checkpoint. Error(data) with the set's name for no rows, a target that its loss cannot take, or targets
/// that are all equal; Error(argument) if the loss does not fit the model's labels. Memory: as train_encoder.
/// Of the report, tokens and cut are of pairs, and health is not known. Steps "tokenize", "learn".
TrainReport train_cross(CrossNetwork& model, const std::vector<CrossTrainingSet>& sets,
                        const TrainOptions& options, const CrossTrainHooks& hooks = {}, const Run& run = {},
                        const Checkpoint& checkpoint = {});

}  // namespace shoal
