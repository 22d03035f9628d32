#pragma once

#include "shoal/core/run.h"
#include "shoal/flow/training/train_model.h"

namespace shoal {

/// Trains a cross-encoder and makes the folder `out`, whole or not at all: one of transformers'
/// ...ForSequenceClassification, which `shoal score` and sentence-transformers' CrossEncoder read, with
/// training.json, training.jsonl and training.html as train_model. `model` is a cross-encoder, which learns
/// on, or any encoder, which gets a new last layer: of one label, or of as many as the tables name. Tables as
/// read_cross_rows; losses bce, mse and ce; dev and general as evaluate_pairs, and of several labels
/// accuracy. Work is kept in training_place(out), and the same command goes on there with the same bits in
/// the end. Error(argument) for options that are of sentence encoders alone; Error(data) as train_cross and
/// read_cross_rows. Of the report, health is not known. Steps "check", "read", "tokenize", "learn",
/// "evaluate".
TrainModelReport train_cross_model(const TrainModelOptions& options, const Run& run,
                                   const TrainNotices& notices = {});

}  // namespace shoal
