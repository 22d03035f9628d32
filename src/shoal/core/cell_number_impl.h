#pragma once

#include <optional>
#include <string_view>

namespace shoal {

// What a cell without blanks around it stands for, if it is written so from its first letter to its last;
// `decimal` is its decimal mark, a point or a comma. NaN: well-formed, but no double holds it.

/// 12, -0.5, 1e3, 1,234.5, 1 234,5.
std::optional<double> cell_number(std::string_view s, char decimal);

/// 12 for 12%.
std::optional<double> cell_percent(std::string_view s, char decimal);

/// $1.50, 3 EUR, ($5.00) for -5; `currency` lives as long as the program.
std::optional<double> cell_money(std::string_view s, char decimal, std::string_view& currency);

}  // namespace shoal
