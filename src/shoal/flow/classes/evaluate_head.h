#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "shoal/core/fields.h"
#include "shoal/core/run.h"
#include "shoal/flow/texts/texts_and_vectors.h"
#include "shoal/measure/classification.h"

namespace shoal {

/// What `classify evaluate` may be told.
struct EvaluateHeadOptions {
  std::filesystem::path head;   ///< a folder that `classify fit` made
  std::filesystem::path input;  ///< as read_texts_and_vectors
  std::string label;            ///< the column of labels
  std::filesystem::path out;    ///< the folder that is made
  bool overwrite = false;
  bool label_errors = false;  ///< also list rows whose label the head contradicts
  std::string separator = ";";
  TextsAndVectorsOptions read;  ///< model empty: the one that the head was fitted with
};
template <class V>
void fields(EvaluateHeadOptions& o, V&& visit) {
  visit("separator", o.separator, "what stands between the labels of a row");
  visit("label_errors", o.label_errors,
        "also list the rows whose label the head contradicts with confidence");
}

struct EvaluateHeadReport {
  Index rows = 0, unlabelled = 0;
  std::vector<std::string> names;
  ClassificationScores scores;  ///< of rows whose labels the head knows; multiclass: by the likeliest label
  double accuracy_or_none = 0;  ///< the same with rows that are taken for none of the known as wrong
  double ece = 0;               ///< expected calibration error
  Index foreign = 0;            ///< rows with a label that the head does not know
  std::vector<std::string> foreign_names;
  double auroc = 0;               ///< known against foreign rows
  double foreign_found = 0;       ///< share of foreign rows that is taken for none of the known
  std::optional<double> covered;  ///< share of known rows that is not
  Index errors = 0, suspects = 0;
  bool assumed_space = false;
  std::filesystem::path out;
  bool done_before = false;  ///< the rest is empty
};

/// How well a head labels rows whose labels are known. Makes the folder `out`, whole or not at all:
///   evaluation.json   all numbers
///   labels.csv        of each label: precision, recall and F1 with intervals
///   errors.csv        the rows that are labelled otherwise, most sure first, with their nearest training
///   texts confusion.svg, confusion.csv (multiclass), reliability.svg labels_in_doubt.csv   if asked
/// Rows with a label that the head does not know are foreign: they say how well "none of the known" is told.
/// Error(data) if no row has a label that the head knows.
EvaluateHeadReport evaluate_head(const EvaluateHeadOptions& options, const Run& run,
                                 const Notice& notice = {});

}  // namespace shoal
