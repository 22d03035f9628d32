#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "shoal/core/run.h"
#include "shoal/read/source.h"
#include "shoal/train/cross_trainer.h"

namespace shoal {

/// How a table becomes pairs for a cross-encoder.
struct ReadCrossOptions {
  std::filesystem::path file;
  std::vector<std::string> columns;  ///< two texts, or anchor, positive and negatives; empty: found
  std::string target;                ///< the column of labels or scores; empty: found
  std::optional<CrossLoss> loss;     ///< absent: by what is said of the pairs
  std::string score_range;           ///< "0,5": scores are brought from there to 0..1; empty: as they are
  std::vector<std::string>
      labels;  ///< names that labels may have, in this order; empty: those that there are
  ReadOptions read;
};

/// Pairs for a cross-encoder, read from a table.
struct CrossRows {
  CrossTrainingSet set;              ///< its numbers are those of the file's rows, from 1
  std::vector<std::string> columns;  ///< of texts, as they were taken
  std::string target;                ///< the same; empty: anchors have positives and negatives
  std::vector<std::string> labels;   ///< of CrossLoss::ce: names, those found in the order of bytes
  bool yes_or_no = false;            ///< every label says yes or no: 1 and 0, true and false...
  Index blank = 0;                   ///< rows left out: a text or what is said of it is missing
  std::string first_blank;           ///< where the first of them stands
  ReadReport read;
};

/// Reads CSV, TSV, JSONL, Parquet. Columns as given, else by name (docs/cross.md):
///   two texts and a label or score   pairs as they stand
///   anchor, positive, negative...    each anchor with its positive (1) and with each negative (0), every
///                                    different pair once; a pair that is both is 1
/// Loss absent: bce if labels are yes or no, true or false, or numbers 0..1 (of score_range); mse of other
/// numbers; ce if none is a number. Numbers as NumberColumn reads them; -1 beside 1 is no. Rows with a
/// missing cell (is_missing) are left out and counted. Error(argument) for columns that are not there,
/// listing those that are, for a target or range beside three columns or more, and a range beside names;
/// Error(data) naming the row of a label that the loss cannot take or that lies out of the range, for no
/// rows, and for ce with one label. Step "read". Memory: the whole table.
CrossRows read_cross_rows(const ReadCrossOptions& options, const Run& run);

/// A loss by its short name (bce, mse, ce) or sentence-transformers' (BinaryCrossEntropyLoss...).
/// Error(argument) with all names.
CrossLoss cross_loss_named(const std::string& name);

}  // namespace shoal
