#include "shoal/flow/tables/number_column.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>

#include "shoal/core/error.h"
#include "shoal/core/letters.h"

namespace shoal {

std::optional<double> plain_number(std::string_view cell) {
  double out = 0;
  const auto read = std::from_chars(cell.data(), cell.data() + cell.size(), out);
  const bool whole = read.ec == std::errc() && read.ptr == cell.data() + cell.size();
  return whole && std::isfinite(out) ? std::optional(out) : std::nullopt;
}

NumberColumn::NumberColumn(const WholeTable& table, Index column) : table_(table), column_(column) {
  ColumnSketch sketch;
  for (Index i = 0; i < table.rows; ++i) sketch.add(table.columns[column][i]);
  profile_ = sketch.profile();
}

std::optional<double> NumberColumn::number(Index row) const {
  const std::string_view cell = trimmed_text(table_.columns[column_][row]);
  if (is_missing(cell)) return std::nullopt;
  return profile_.kind == ColumnKind::number ? profile_.value(cell) : plain_number(cell);
}

std::optional<double> NumberColumn::operator[](Index row) const {
  const std::string_view cell = trimmed_text(table_.columns[column_][row]);
  if (is_missing(cell)) return std::nullopt;
  const auto out = number(row);
  if (!out)
    throw Error(Fault::data, table_.where(row) + " has '" + std::string(beginning_of(cell, 40)) + "' as " +
                                 table_.names[column_] + "; a number is needed");
  return out;
}

std::pair<double, double> read_score_range(std::string_view given) {
  const auto comma = std::min(given.find(','), given.size());
  const auto low = plain_number(trimmed_text(given.substr(0, comma)));
  const auto high = plain_number(trimmed_text(given.substr(std::min(comma + 1, given.size()))));
  const double from = low.value_or(0), to = high.value_or(0);
  require(low && high && from < to, Fault::argument,
          option_name("score_range") + " is '" + std::string(given) +
              "'; two numbers are needed, the lower first: 0,5");
  return {from, to};
}

}  // namespace shoal
