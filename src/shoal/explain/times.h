#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "shoal/core/matrix.h"
#include "shoal/core/texts.h"

namespace shoal {

/// A stretch of the calendar. Weeks begin on Monday. All are of UTC.
enum class Period : std::uint8_t { hour, day, week, month, quarter, year };
constexpr auto names_of(Period) { return std::array{"hour", "day", "week", "month", "quarter", "year"}; }

/// Where the numbers of a column lie in time.
enum class Clock : std::uint8_t { days, seconds, milliseconds, years, time_of_day };

/// Most periods that rows are counted by.
inline constexpr Index kMostPeriods = 2000;

/// When each row was, in days since 1970-01-01 (times of day: since midnight); NaN where nothing is known.
struct Times {
  std::vector<double> days;
  Clock clock = Clock::days;
  double low = 0, high = 0;  ///< of those known
  Index missing = 0;         ///< rows of which nothing is known
};

/// Times as people write them (ColumnSketch): dates, timestamps, times of day, years (1000 to 2999), and Unix
/// times in seconds or milliseconds. Error(data) if the column holds anything else, or fewer than nine in ten
/// of its values are times.
Times read_times(const Texts& column);

/// The number of the period that a time lies in; periods that follow each other have following numbers.
std::int64_t period_number(double days, Period every);
/// When a period begins, in days since 1970-01-01.
double period_start(std::int64_t number, Period every);
/// 2024-05-06 10:00, 2024-05-06, 2024-05, 2024-Q2, 2024; a week by its Monday; of times of day 10:00.
std::string period_name(std::int64_t number, Period every, Clock clock);
/// From that of the first time to that of the last, gaps counted.
Index periods_between(const Times& times, Period every);
/// `every`, or if it is absent the shortest that gives at most `few` periods. Error(argument) if it gives
/// more than kMostPeriods, is no hour for times of day, or shorter than the column's times can tell.
Period choose_period(const Times& times, const std::optional<Period>& every, Index few = 60);

}  // namespace shoal
