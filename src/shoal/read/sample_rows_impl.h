#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "shoal/read/csv.h"

namespace shoal {

struct SampleCell {
  std::string value;
  bool quoted = false;
};

struct SampleRow {
  std::vector<SampleCell> cells;
  Index line = 0;   ///< lines before it
  Index stray = 0;  ///< fields behind whose closing quote text follows
};

/// The first rows of a table, read in one way.
struct TableSample {
  std::vector<SampleRow> rows;  ///< but blank ones, at most kLayoutRows
  bool unclosed = false;        ///< the last one is, and most of the bytes lie in it
};

/// `expected`: the fields of a row, as for scan_csv.
TableSample read_rows(std::string_view head, bool whole, const CsvDialect& dialect, Index expected = 0);

/// A row has `fields`, or one more that is empty: some programs end each row with a delimiter.
bool has_fields(const SampleRow& row, Index fields);

/// How many fields most rows have; of equal numbers the larger. A last field that is empty in all of them
/// counts not.
Index usual_fields(const std::vector<SampleRow>& rows);

/// The share of the rows from `first` on that have so many fields.
double share_alike(const std::vector<SampleRow>& rows, std::size_t first, Index fields);

}  // namespace shoal
