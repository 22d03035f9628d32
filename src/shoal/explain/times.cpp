#include "shoal/explain/times.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <limits>

#include "shoal/core/column_kind.h"
#include "shoal/core/error.h"
#include "shoal/core/names.h"

namespace shoal {
namespace {

namespace chrono = std::chrono;

constexpr double kDay = 86400;

std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

chrono::year_month_day date_of(std::int64_t day) {
  return chrono::year_month_day{chrono::sys_days{chrono::days{day}}};
}
std::int64_t month_number(std::int64_t day) {
  const auto date = date_of(day);
  return 12 * std::int64_t{static_cast<int>(date.year())} + static_cast<unsigned>(date.month()) - 1;
}

/// What the numbers of a column mean as times; nothing if they mean none.
std::optional<Clock> clock_of(const ColumnProfile& profile, double low, double high) {
  if (profile.kind == ColumnKind::date) return Clock::days;
  if (profile.kind == ColumnKind::timestamp) return Clock::seconds;
  if (profile.kind == ColumnKind::time) return Clock::time_of_day;
  if (profile.kind != ColumnKind::number && profile.kind != ColumnKind::id) return std::nullopt;
  if (low >= 1000 && high < 3000) return Clock::years;
  if (low >= 1e8 && high < 1e10) return Clock::seconds;
  if (low >= 1e11 && high < 1e13) return Clock::milliseconds;
  return std::nullopt;
}

double days_of(double value, Clock clock) {
  switch (clock) {
    case Clock::days:
      return value;
    case Clock::seconds:
    case Clock::time_of_day:
      return value / kDay;
    case Clock::milliseconds:
      return value / (1000 * kDay);
    case Clock::years:
      return period_start(static_cast<std::int64_t>(value), Period::year);
  }
  return value;
}

}  // namespace

std::int64_t period_number(double days, Period every) {
  const auto day = static_cast<std::int64_t>(std::floor(days));
  switch (every) {
    case Period::hour:
      return static_cast<std::int64_t>(std::floor(days * 24 + 1e-9));
    case Period::day:
      return day;
    case Period::week:
      return floor_div(day + 3, 7);  // 1970-01-01 was a Thursday
    case Period::month:
      return month_number(day);
    case Period::quarter:
      return floor_div(month_number(day), 3);
    case Period::year:
      return floor_div(month_number(day), 12);
  }
  return 0;
}

double period_start(std::int64_t number, Period every) {
  const auto first_of_month = [](std::int64_t month) {
    const chrono::year_month_day first{
        chrono::year{static_cast<int>(floor_div(month, 12))},
        chrono::month{static_cast<unsigned>(month - 12 * floor_div(month, 12)) + 1}, chrono::day{1}};
    return static_cast<double>(chrono::sys_days{first}.time_since_epoch().count());
  };
  switch (every) {
    case Period::hour:
      return static_cast<double>(number) / 24;
    case Period::day:
      return static_cast<double>(number);
    case Period::week:
      return static_cast<double>(7 * number - 3);
    case Period::month:
      return first_of_month(number);
    case Period::quarter:
      return first_of_month(3 * number);
    case Period::year:
      return first_of_month(12 * number);
  }
  return 0;
}

std::string period_name(std::int64_t number, Period every, Clock clock) {
  const auto first = date_of(static_cast<std::int64_t>(std::floor(period_start(number, every) + 1e-9)));
  const int year = static_cast<int>(first.year());
  const unsigned month = static_cast<unsigned>(first.month()), day = static_cast<unsigned>(first.day());
  const auto hour = static_cast<unsigned>(number - 24 * floor_div(number, 24));
  char out[64];
  if (clock == Clock::time_of_day) {
    std::snprintf(out, sizeof out, "%02u:00", hour);
  } else if (every == Period::hour) {
    std::snprintf(out, sizeof out, "%04d-%02u-%02u %02u:00", year, month, day, hour);
  } else if (every == Period::day || every == Period::week) {
    std::snprintf(out, sizeof out, "%04d-%02u-%02u", year, month, day);
  } else if (every == Period::month) {
    std::snprintf(out, sizeof out, "%04d-%02u", year, month);
  } else if (every == Period::quarter) {
    std::snprintf(out, sizeof out, "%04d-Q%u", year, (month - 1) / 3 + 1);
  } else {
    std::snprintf(out, sizeof out, "%04d", year);
  }
  return out;
}

Times read_times(const Texts& column) {
  ColumnSketch sketch;
  for (Index i = 0; i < column.size(); ++i) sketch.add(column[i]);
  const ColumnProfile profile = sketch.profile();
  Times out;
  out.low = std::numeric_limits<double>::infinity();
  out.high = -out.low;
  std::vector<std::optional<double>> values(column.size());
  bool whole = true;
  if (profile.has_values())
    for (Index i = 0; i < column.size(); ++i) {
      values[i] = profile.value(column[i]);
      if (!values[i]) continue;
      out.low = std::min(out.low, *values[i]);
      out.high = std::max(out.high, *values[i]);
      whole = whole && *values[i] == std::floor(*values[i]);
    }
  const auto clock = clock_of(profile, out.low, out.high);
  require(clock.has_value() && (*clock != Clock::years || whole), Fault::data,
          std::string("it holds no times (its kind is ") + name_of(profile.kind) +
              "); dates such as 2024-12-31, timestamps, times of day, years and Unix times are");
  out.clock = *clock;
  for (const auto& value : values) {
    out.days.push_back(value ? days_of(*value, *clock) : std::numeric_limits<double>::quiet_NaN());
    out.missing += !value;
  }
  out.low = days_of(out.low, *clock);
  out.high = days_of(out.high, *clock);
  return out;
}

Index periods_between(const Times& times, Period every) {
  return static_cast<Index>(period_number(times.high, every) - period_number(times.low, every)) + 1;
}

Period choose_period(const Times& times, const std::optional<Period>& every, Index few) {
  if (times.clock == Clock::time_of_day) {
    require(!every || *every == Period::hour, Fault::argument,
            option_name("every") + " is " + name_of(*every) + "; times of day are counted by the hour");
    return Period::hour;
  }
  if (times.clock == Clock::years) {
    require(!every || *every == Period::year, Fault::argument,
            option_name("every") + " is " + name_of(*every) + "; the column holds years alone");
    return Period::year;
  }
  if (every) {
    require(times.clock != Clock::days || *every != Period::hour, Fault::argument,
            option_name("every") + " is hour; the column holds dates without times");
    const Index wanted = periods_between(times, *every);
    require(wanted <= kMostPeriods, Fault::argument,
            option_name("every") + " is " + name_of(*every) + ": " + std::to_string(wanted) +
                " periods; at most " + std::to_string(kMostPeriods) + " are counted");
    return *every;
  }
  for (Period p : {Period::hour, Period::day, Period::week, Period::month, Period::quarter})
    if ((p != Period::hour || times.clock != Clock::days) && periods_between(times, p) <= few) return p;
  return Period::year;
}

}  // namespace shoal
