#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "shoal/classify/head.h"
#include "shoal/core/fields.h"
#include "shoal/core/run.h"
#include "shoal/flow/texts/texts_and_vectors.h"
#include "shoal/measure/classification.h"

namespace shoal {

/// What `classify fit` may be told.
struct FitHeadOptions {
  std::filesystem::path input;  ///< as read_texts_and_vectors
  std::string label;            ///< the column of labels
  std::filesystem::path out;    ///< the folder that is made
  bool overwrite = false;
  std::optional<std::filesystem::path> add;  ///< a head that takes in these rows; it stays as it is
  bool zero_shot = false;                    ///< the rows are what labels are called, not examples
  std::optional<HeadTask> task;              ///< absent: as the labels are written; head.task is not used
  std::string separator = ";";
  std::string class_weights;  ///< as read_label_weights
  HeadOptions head;           ///< label_weights is not used
  TextsAndVectorsOptions read;
};
template <class V>
void fields(FitHeadOptions& o, V&& visit) {
  visit("task", o.task,
        "one label a row, or any number of them. Default: several if a cell is a JSON list or holds the "
        "separator");
  visit("separator", o.separator, "what stands between the labels of a row");
  visit(
      "class_weights", o.class_weights,
      "how much the rows of some labels count: NAME=WEIGHT,... or a table with the columns label and weight; "
      "others count 1");
}

struct FitHeadReport {
  Index rows = 0, unlabelled = 0;
  HeadTask task = HeadTask::multiclass;
  std::vector<std::string> names;
  std::vector<std::string>
      seen_once;                   ///< labels of a single row: nothing is known of how well they are found
  std::vector<std::string> added;  ///< labels that the old head did not have
  HeadKind head = HeadKind::logistic;
  double c = 0;
  Index n_iter = 0;
  bool converged = true;
  Index judged = 0;                ///< rows judged by fits that left them out; 0: too few a label
  ClassificationScores scores;     ///< of them: multiclass of the likeliest label, multilabel by thresholds
                                   ///< that other rows chose
  double ece = 0, ece_before = 0;  ///< expected calibration error, calibrated and as the regression gave it
  double covered = 0;              ///< share of them that is taken for known
  ThresholdKind thresholds = ThresholdKind::half;
  Index suspects = 0;  ///< rows of labels_in_doubt.csv
  bool assumed_space = false;
  std::string remark;  ///< about the reading of the labels; empty: nothing
  Index cut = 0;       ///< texts that were longer than the model's limit
  std::filesystem::path out;
  bool done_before = false;  ///< the rest is empty
};

/// Fits a head and makes the folder `out`, whole or not at all:
///   head.json             what was asked, found, and how well held-out rows are labelled
///   head.safetensors      the head with the vectors of its training rows; training.csv their texts
///   labels.csv            of each label: how well it is found, with intervals
///   labels_in_doubt.csv   rows whose label the held-out folds contradict (label_errors)
///   confusion.svg, reliability.svg
/// A folder that was made of the same rows with the same options stays as it is. Error(data) if the labels
/// cannot be used: one label alone, none at all, a column that is empty; Error(argument) as NewFolder.
FitHeadReport fit_head(const FitHeadOptions& options, const Run& run, const Notice& notice = {});

}  // namespace shoal
