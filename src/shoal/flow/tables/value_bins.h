#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shoal/core/column_kind.h"
#include "shoal/store/collection/collection.h"

namespace shoal {

/// Ranges of a column's values, each with about as many rows as the others.
struct ValueBins {
  ColumnProfile profile;
  std::vector<double> first;       ///< the smallest value of each range, ascending
  std::vector<std::string> names;  ///< "3.5 to 8", "2024-01-01 to 2024-03-31"

  /// The name of each cell's range; cells that do not fit keep their text.
  Texts of(const Texts& cells) const;
};

/// At most eight ranges for a column of numbers, percents, money, dates, times or timestamps with more than
/// 16 different values; nothing for any other. Reads the column, and holds a number for each row.
std::optional<ValueBins> value_bins(const Collection& collection, const std::string& column);

/// A value as people write it: 3.5, 12%, 2024-12-31, 2024-12-31 09:05, 09:05.
std::string value_text(ColumnKind kind, double value);

}  // namespace shoal
