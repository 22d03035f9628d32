#pragma once

namespace shoal {

/// What a cell was in the file it came from, where that says more than its text: JSON and Parquet tell 5 from
/// "5" and null from "". The letters are what a collection keeps.
enum class CellKind : char {
  string = 's',
  null = 'n',
  json = 'j',    ///< a number, true, false, a list or an object: the cell is its JSON text
  missing = 'm'  ///< the row had no such key
};

}  // namespace shoal
