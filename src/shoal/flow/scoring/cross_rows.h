#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "shoal/core/run.h"
#include "shoal/read/source.h"
#include "shoal/train/cross_trainer.h"

namespace shoal {

/// Pairs for a cross-encoder, read from a table.
struct CrossRows {
  CrossTrainingSet set;              ///< its numbers are those of the file's rows, from 1
  std::vector<std::string> columns;  ///< as they were taken
  std::vector<std::string> labels;   ///< of CrossLoss::ce: names in the order of bytes; empty of others
  Index blank = 0;                   ///< rows left out: a text or what is said of it is empty
  std::string first_blank;           ///< where the first of them stands
  ReadReport read;
};

/// Reads CSV, TSV, JSONL, Parquet. Columns by `columns`, else by name (docs/cross.md):
///   two texts and a label or score   pairs as they stand
///   anchor, positive, negative...    each anchor with its positive (1) and with each negative (0), every
///                                    different pair once; a pair that is both is 1
/// `loss` absent: bce if labels are yes or no, true or false, or numbers 0..1; mse of other numbers; ce of
/// names. Rows with an empty cell are left out and counted. `known`: labels of ce that there may be, as of a
/// set for training when one for trying is read; empty: those that there are. Error(argument) for columns
/// that are not there, listing those that are; Error(data) naming the row of a label that the loss cannot
/// take, for no rows, and for ce with one label. Step "read". Memory: the whole table.
CrossRows read_cross_rows(const std::filesystem::path& file, const std::vector<std::string>& columns,
                          std::optional<CrossLoss> loss, const ReadOptions& read, const Run& run,
                          const std::vector<std::string>& known = {});

}  // namespace shoal
