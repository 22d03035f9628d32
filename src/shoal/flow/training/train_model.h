#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "shoal/core/fields.h"
#include "shoal/core/run.h"
#include "shoal/flow/evaluation/evaluate.h"
#include "shoal/flow/training/training_data.h"
#include "shoal/train/trainer.h"

namespace shoal {

/// What `train` may be told.
struct TrainModelOptions {
  std::vector<std::filesystem::path> inputs;  ///< tables, a set each
  std::vector<std::string> losses;            ///< none: by the columns; one: of all; or one each
  std::vector<std::string> columns;           ///< of texts, of every table
  std::string target;
  std::string model;  ///< a name or a folder
  std::string teacher;
  std::filesystem::path models_folder;
  std::filesystem::path out;  ///< the folder that is made
  bool overwrite = false;
  std::filesystem::path dev, general;              ///< what the model is tried on; empty: nothing
  std::optional<TaskKind> dev_task, general_task;  ///< absent: by the columns
  std::string score_range;
  double merge = 0;  ///< share of the old weights that is mixed in at the end
  LossOptions loss;
  TrainOptions train;
  ReadOptions read;
  double checkpoint_seconds = 120;
};
template <class V>
void fields(TrainModelOptions& o, V&& visit) {
  visit("dev_task", o.dev_task, "what --dev is for. Default: by its columns");
  visit("general_task", o.general_task, "what --general is for. Default: by its columns");
  visit("score_range", o.score_range, "two numbers, as 0,5: scores are brought from there to 0..1");
  visit("merge", o.merge, "share of the old weights that is mixed in at the end, against forgetting",
        between(0, 1));
  visit("checkpoint_seconds", o.checkpoint_seconds, "how often the work is kept, besides when it is stopped",
        above(0));
}

/// One line of the table that says what training did.
struct TrainedState {
  std::string name;  ///< "before", "after", "merged"
  Health health;
  std::optional<Measured> dev, general;
};

struct TrainModelReport {
  struct Set {
    std::string file, loss;
    std::vector<std::string> columns;
    std::string target, unused;
    Index rows = 0, blank = 0;
    std::string first_blank;
  };
  std::vector<Set> sets;
  TrainReport train;
  std::string model;  ///< what it began with
  std::string dev_metric, general_metric;
  std::vector<TrainedState> states;
  Index resumed_from = 0;  ///< the step; 0: from the beginning
  std::filesystem::path out;
  bool done_before = false;  ///< the rest is empty
};

/// What is told on the way.
struct TrainNotices {
  std::function<void(const std::string& remark)> remark;
  std::function<void(const TrainModelReport& so_far, double seconds)> begins;  ///< before the first step
};

/// Where work that is not finished is kept, beside `out`.
std::filesystem::path training_place(const std::filesystem::path& out);

/// Trains a model and makes the folder `out`, whole or not at all: a sentence-transformers folder like that
/// of the model, and
///   training.json    options, sets, what came of it
///   training.jsonl   a line a step (loss, gradient norm, rate, score) and a line a look (alarms)
///   training.html    curves, alarms and the table of before and after
/// Work is kept in training_place(out): the same command goes on there, also after kill -9, with the same
/// bits in the end. Error(argument), Error(data) as train_encoder, read_training_table, read_evaluation; what
/// is there stays as it is. Steps "check", "read", "tokenize", "learn", "evaluate".
TrainModelReport train_model(const TrainModelOptions& options, const Run& run,
                             const TrainNotices& notices = {});

}  // namespace shoal
