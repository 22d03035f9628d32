#pragma once

#include <set>
#include <string>
#include <vector>

#include "shoal/core/cell_kind.h"
#include "shoal/core/column_kind.h"
#include "shoal/core/texts.h"
#include "shoal/store/tables/parquet_writer.h"

namespace shoal {

/// Finds the type of a Parquet column from its cells: boolean, int64, float64, date or timestamp (of ISO
/// 8601) if all cells that have a value are such; else string. Of cells that are strings in JSON or Parquet,
/// numbers stay strings; a CSV file has only strings, and there 12 is a number, while 012 and 1,5 are not.
class ColumnType {
 public:
  void add(std::string_view cell, CellKind kind);
  ParquetType type() const;
  /// Adds a cell to a column of type(), null if it has no value.
  void put(ParquetValues& values, std::string_view cell, CellKind kind) const;

 private:
  ColumnSketch sketch_;
  Index filled_ = 0, strings_ = 0;
  bool typed_ = false;  // some cell is no string
  bool boolean_ = true, whole_ = true, real_ = true, iso_ = true, zone_ = true, no_zone_ = true;
  mutable ColumnProfile profile_;
  mutable bool found_ = false;
};

/// The types of all columns of a table. Cells by batches, with their kinds (Source::kinds).
class ColumnTypes {
 public:
  explicit ColumnTypes(Index columns) : columns_(columns) {}
  void add(const std::vector<Texts>& columns, const Texts& kinds);
  const ColumnType& operator[](Index column) const { return columns_[column]; }
  Index size() const { return columns_.size(); }

 private:
  std::vector<ColumnType> columns_;
};

/// What a cell of a row was; `kinds` as from Source::kinds, column 0 the text.
CellKind kind_at(const Texts& kinds, Index row, Index column);

/// Each name, or "NAME (2)" and so on where it is taken; those given out are taken from then on.
std::vector<std::string> free_names(const std::vector<std::string>& names, std::set<std::string> taken);

}  // namespace shoal
