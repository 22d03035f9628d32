#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "shoal/core/run.h"
#include "shoal/flow/embed_texts.h"
#include "shoal/read/source.h"
#include "shoal/train/trainer.h"

namespace shoal {

/// How a table becomes rows to train on.
struct ReadTrainingOptions {
  std::filesystem::path file;
  std::string loss;                  ///< short name, or sentence-transformers' class; empty: by the columns
  std::vector<std::string> columns;  ///< of texts, in order; empty: found
  std::string target;                ///< the column of scores or labels; empty: found
  std::string score_range;           ///< "0,5": scores are brought from there to 0..1; empty: as they are
  bool any_score = false;            ///< do not refuse scores that the loss cannot use
  LossOptions options;               ///< of the loss; its kind is not used
  EmbedTexts teacher;                ///< where the loss asks for a teacher and the table has no such column
  ReadOptions read;
};

struct TrainingTable {
  TrainingSet set;
  std::vector<std::string> columns;  ///< as they were taken
  std::string target;                ///< the same; empty: none
  std::string unused;                ///< a column that looks like a target, but the loss needs none
  std::vector<std::string> labels;   ///< names, if the targets are labels
  Index blank = 0;                   ///< rows left out: a text, or its score or label, is empty
  std::string first_blank;           ///< where the first of them stands
  ReadReport read;
};

/// Reads CSV, TSV, JSONL or Parquet. Columns of texts by name (sentence1, sentence2; text_a, text_b; anchor
/// or query, positive, negative...; text) or, if none is called so, all but the target in the file's order;
/// the target: score, similarity, label. The loss by the columns: two texts and a score: cosine, if all
/// scores are 0 or 1: contrastive; two or more texts: mnrl; a text and a label: batch_hard_soft; a text and a
/// teacher: mse. Error(argument) for columns that are not there, listing those that are, and where no loss
/// fits; Error(data) naming row and value for a score that is no number or out of range, one label only, no
/// rows.
TrainingTable read_training_table(const ReadTrainingOptions& options, const Run& run);

}  // namespace shoal
