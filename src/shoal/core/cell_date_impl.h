#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace shoal {

/// What stands first in a date.
enum class DateOrder : std::uint8_t { year_first, day_first, month_first };

// What a cell without blanks around it stands for, if it is written so from its first letter to its last.

/// 2024-12-31, 31.12.2024, 12/31/2024, 31 Dec 2024: days since 1970-01-01.
std::optional<double> cell_date(std::string_view s, DateOrder order);

/// A date and a time, perhaps with a time zone: seconds since 1970-01-01 UTC.
std::optional<double> cell_timestamp(std::string_view s, DateOrder order);

/// 9:05, 09:05:30.5, 9:05 PM: seconds since midnight.
std::optional<double> cell_time(std::string_view s);

}  // namespace shoal
