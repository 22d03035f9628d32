#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "shoal/flow/training/train_model.h"
#include "shoal/learn/learn.h"
#include "shoal/store/files/new_folder.h"

namespace shoal {

/// The course of a training, a JSON object a line, that can be followed while it goes on.
class TrainingLog {
 public:
  explicit TrainingLog(std::filesystem::path file);
  /// Keeps the lines of steps up to this one, and throws away the rest: training goes on from there.
  void resume(Index step);
  void add(const LearnStep& step);
  void add(Index step, const Health& health);

  /// Curves for a page: steps and what was seen at each.
  struct Curve {
    std::vector<double> steps, values;
  };
  Curve curve(const std::string& name) const;
  std::string text() const;  ///< all lines

 private:
  void append(const nlohmann::ordered_json& line);
  std::filesystem::path file_;
};

nlohmann::ordered_json to_json(const TrainModelReport& report);
inline constexpr const char *kTrainingReport = "training.json", *kTrainingLog = "training.jsonl",
                            *kTrainingPage = "training.html";
/// By what a folder that training made is known: the first words of its report.
inline constexpr FolderMark kTrainingMark{kTrainingReport, "\"format\": \"shoal training\""};
/// Writes the three into the folder, whose other files are there, and puts the receipt into the report.
void write_training_files(const std::filesystem::path& folder, const TrainModelReport& report,
                          const TrainingLog& log, const nlohmann::ordered_json& options,
                          const std::string& key);
/// Of inputs and what is tried on: which is which, for the key of a result; a folder's files are listed.
struct TrainingInputs {
  std::vector<std::filesystem::path> files;
  std::vector<Field> roles;
};
TrainingInputs training_inputs(const TrainModelOptions& options);
/// Of a result that is there: what a process that was killed at the end has left beside it goes. Work of
/// another key, which may be going on, stays.
void clean_up_training(const std::filesystem::path& out, std::span<const char* const> files,
                       const std::filesystem::path& checkpoint, const std::string& key);
/// The page: what was done, the table of before and after, curves of loss, score and alarms.
std::string training_page(const TrainModelReport& report, const TrainingLog& log);
/// The table of before and after as lines of text.
std::string states_text(const TrainModelReport& report);

}  // namespace shoal
