#pragma once

#include <filesystem>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shoal/core/cell_kind.h"
#include "shoal/core/run.h"
#include "shoal/core/texts.h"
#include "shoal/read/source.h"

namespace shoal {

/// A table of which every column counts: CSV, TSV, JSONL, Parquet or lines, read at once.
struct WholeTable {
  std::string file;                ///< how messages call it
  std::vector<std::string> names;  ///< of the columns, in the file's order
  std::vector<Texts> columns;      ///< each of `rows`
  Index rows = 0;
  ReadReport read;

  CellKind kind(Index column, Index row) const;
  /// "pairs.csv, row 12": the first row is 1.
  std::string where(Index row) const;

  std::vector<std::string> kinds_of_row;  ///< a CellKind for each column; empty: all are strings
};

/// Error(data) for a file without rows; others as Source. Step "read". `options.text_columns` are passed
/// over. Memory: the whole file.
WholeTable read_whole_table(const std::filesystem::path& file, ReadOptions options, const Run& run);

/// A column that a task needs.
struct WantedColumn {
  std::string called;              ///< "sentence1"
  std::vector<std::string> names;  ///< that are taken for it, the best first; upper or lower case alike
};

/// Where these columns are: by `given`, a name for each, if there are any; else by their names; else, where a
/// table has just as many columns as are wanted and none of them stands elsewhere by its name, by their
/// order. Error(argument) listing the columns that are wanted and those that are there.
std::vector<Index> place_columns(const WholeTable& table, const std::vector<WantedColumn>& wanted,
                                 const std::vector<std::string>& given);

/// The column of one of these names, upper or lower case alike.
std::optional<Index> column_named(const WholeTable& table, const std::vector<std::string>& names);

/// The columns of negatives beyond the first, in the file's order: negative_2, neg_3 and so on, also _0 and
/// _1 beside a column that has no number. Upper or lower case alike. negative_score is none.
std::vector<Index> further_negatives(const WholeTable& table, Index first);

/// A cell without white space around it.
std::string_view trimmed_text(std::string_view cell);
/// 1, yes, true, accepted, y: true; 0, no, false, rejected, n, -1: false; anything else: nothing. Upper or
/// lower case alike, white space around aside.
std::optional<bool> yes_or_no(std::string_view cell);

}  // namespace shoal
