#pragma once

#include <optional>
#include <string>
#include <vector>

#include "shoal/classify/calibration.h"
#include "shoal/classify/label_sets.h"
#include "shoal/core/texts.h"

namespace shoal {

/// How cells name labels.
struct LabelReading {
  std::optional<HeadTask> task;    ///< absent: multilabel if a cell is a JSON list or holds the separator
  std::string separator = ";";     ///< between labels of one cell
  std::vector<std::string> known;  ///< labels that there are already: they keep their numbers
};

/// What a column says of each row.
struct LabelColumn {
  HeadTask task = HeadTask::multiclass;
  std::vector<std::string> names;  ///< of each label: the known ones, then the others in the order of bytes
  LabelSets sets;
  Index unlabelled = 0;  ///< rows whose cell is empty, or an empty list
  bool lists = false;    ///< a cell is a JSON list
};

/// Labels of cells: "sport", "sport;money" or ["sport", "money"], white space around names left out, a name
/// twice in one cell once. multiclass: a cell is one label, whatever it holds. Error(data) naming the row of
/// a list that is no JSON list of strings and numbers, or if no cell has a label.
LabelColumn read_labels(const Texts& cells, const LabelReading& reading);

/// "a" for one label, "a;b" for several, "" for none.
std::string written_labels(const std::vector<Label>& set, const std::vector<std::string>& names);

}  // namespace shoal
