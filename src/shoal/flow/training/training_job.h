#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "shoal/flow/training/train_model.h"
#include "shoal/flow/training/training_report.h"
#include "shoal/learn/learn.h"

namespace shoal {

/// A training as a task of files: what the kinds of models do not have in common.
struct TrainingJob {
  std::filesystem::path model;                     ///< the folder that it begins with
  std::filesystem::path teacher;                   ///< the folder of another that it learns from; empty: none
  std::vector<std::filesystem::path> model_files;  ///< all files of it that count for the result
  std::vector<Field> fields;                       ///< options and whatever else the result depends on
  std::vector<std::string> out_names;              ///< all names at the top of the folder that is made
  std::function<void()> read;                      ///< sets, tasks and the model, before anything is written
  std::function<void(TrainingLog& log, const Checkpoint& checkpoint)> train;
  std::function<void(const std::filesystem::path& folder)> save;  ///< the model's files
};

/// Error(argument) for options that do not go together, whatever the model.
void check_training(const TrainModelOptions& options);

/// Options that the result depends on; without `loss_options` those of losses are left out.
std::vector<Field> training_fields(const TrainModelOptions& options, bool loss_options);

/// Says that the work that is kept cannot be gone on with.
void tell_begun_anew(const TrainModelOptions& options, const TrainNotices& notices);

/// Makes the folder, whole or not at all, and says so in `report`; `done_before` if it is there already.
/// While it goes on, training_place(options.out) has the log and the checkpoint; a run that ends with an
/// error before there is anything to go on from leaves nothing.
void run_training(const TrainingJob& job, const TrainModelOptions& options, TrainModelReport& report,
                  const Run& run);

}  // namespace shoal
