#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "shoal/adapt/feedback.h"
#include "shoal/core/labels.h"
#include "shoal/core/random.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"
#include "shoal/flow/embed_texts.h"

namespace shoal {

/// What a table of feedback says: about pairs of texts, or about folders of texts.
struct FeedbackTable {
  std::string shape;               ///< "row_a,row_b,accepted", ...
  Rows texts{MatrixView{}};        ///< vectors of all texts that it names, each once
  std::vector<JudgedPair> pairs;   ///< of rows of `texts`; empty for folders
  Labels folders;                  ///< of `texts`; empty for pairs
  std::vector<std::string> names;  ///< of the folders
  Index rows = 0;                  ///< of the table
  Index drawn = 0;                 ///< rejected pairs that were drawn, since a table of clicks has none
  Index moved = 0;                 ///< texts that stand in several folders: left out
};

/// Reads a table (CSV, TSV, JSONL, Parquet) of one of these shapes; columns may stand in any order, others
/// are passed over:
///   row_a, row_b, accepted     rows of the corpus from 0; 1 or 0, yes or no, true or false, accepted or
///                              rejected
///   text_a, text_b, label      the same of texts, which are embedded (accepted is taken for label)
///   query, clicked             a text, and the row of the corpus that was chosen, or, if not all cells are
///                              whole numbers, its text; as many rejected pairs are drawn by the seed
///   row, folder                a row of the corpus and where it was put (label is taken for folder)
///   text, folder               the same of texts
/// `embed` makes the vectors of texts that are not of the corpus.
/// Error(argument) for other columns; Error(data) naming file and line for a row that is not there or an
/// answer that is none, and if nothing is said.
FeedbackTable read_feedback(const std::filesystem::path& file, const Rows& corpus, Seed seed,
                            const EmbedTexts& embed, const Run& run);

}  // namespace shoal
