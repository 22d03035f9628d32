#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "shoal/flow/training/train_model.h"
#include "shoal/learn/learn.h"

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
/// The page: what was done, the table of before and after, curves of loss, score and alarms.
std::string training_page(const TrainModelReport& report, const TrainingLog& log);
/// The table of before and after as lines of text.
std::string states_text(const TrainModelReport& report);

}  // namespace shoal
