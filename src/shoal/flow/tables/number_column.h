#pragma once

#include <optional>
#include <string_view>
#include <utility>

#include "shoal/core/column_kind.h"
#include "shoal/flow/tables/whole_table.h"

namespace shoal {

/// 12, -0.5, 1e3: the whole cell, with a decimal point. Nothing: it is no such number, or not finite.
std::optional<double> plain_number(std::string_view cell);

/// Numbers of a column, as it is written: with a decimal comma or with spaces between thousands too
/// (core/column_kind.h), where nine in ten of its cells are numbers. Refers to the table.
class NumberColumn {
 public:
  NumberColumn(const WholeTable& table, Index column);
  /// Nothing: the cell is missing (is_missing), or no number.
  std::optional<double> number(Index row) const;
  /// Nothing: the cell is missing. Error(data) naming the row of one that is no number.
  std::optional<double> operator[](Index row) const;

 private:
  const WholeTable& table_;
  Index column_;
  ColumnProfile profile_;
};

/// "0,5": the lowest score and the highest. Error(argument), naming the option score_range, for anything but
/// two numbers, the lower first.
std::pair<double, double> read_score_range(std::string_view given);

}  // namespace shoal
