#include "shoal/core/cell_date_impl.h"

#include <algorithm>
#include <string>

#include "shoal/core/cell_parts_impl.h"

namespace shoal {
namespace {

constexpr double kDay = 86400;

// Up to `most` digits, at least one.
std::optional<int> take_int(std::string_view& s, std::size_t most, std::size_t* length = nullptr) {
  std::size_t n = 0;
  int value = 0;
  for (; n < s.size() && is_digit(s[n]); ++n) {
    if (n == most) return std::nullopt;
    value = value * 10 + (s[n] - '0');
  }
  if (n == 0) return std::nullopt;
  s.remove_prefix(n);
  if (length != nullptr) *length = n;
  return value;
}

// An English month, whole or its first three letters (Sept too), with or without a point.
std::optional<int> take_month(std::string_view& s) {
  static constexpr std::string_view kMonths[] = {"january",   "february", "march",    "april",
                                                 "may",       "june",     "july",     "august",
                                                 "september", "october",  "november", "december"};
  std::size_t n = 0;
  while (n < s.size() && is_letter(s[n])) ++n;
  if (n < 3) return std::nullopt;
  std::string word;
  for (std::size_t i = 0; i < n; ++i) word += lower(s[i]);
  for (int m = 0; m < 12; ++m) {
    if (word != kMonths[m] && word != kMonths[m].substr(0, 3) && !(m == 8 && word == "sept")) continue;
    s.remove_prefix(n);
    take(s, ".");
    return m + 1;
  }
  return std::nullopt;
}

std::optional<double> days(int year, int month, int day) {
  static constexpr int kLengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  if (month < 1 || month > 12 || day < 1) return std::nullopt;
  if (day > kLengths[month - 1] + (month == 2 && leap ? 1 : 0)) return std::nullopt;
  // Howard Hinnant's days_from_civil: years begin in March.
  const int y = month <= 2 ? year - 1 : year;
  const int era = (y >= 0 ? y : y - 399) / 400, of_era = y - era * 400;
  const int of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  const int day_of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
  return era * 146097.0 + day_of_era - 719468;
}

// Two digits are 1969 to 2068.
int whole_year(int year, std::size_t digits) {
  return digits > 2 ? year : year < 69 ? 2000 + year : 1900 + year;
}

char take_mark(std::string_view& s, std::string_view marks) {
  if (s.empty() || marks.find(s.front()) == marks.npos) return '\0';
  const char mark = s.front();
  s.remove_prefix(1);
  return mark;
}

std::optional<double> date_year_first(std::string_view& s) {
  std::size_t length = 0;
  const auto year = take_int(s, 4, &length);
  if (!year || length != 4) return std::nullopt;
  const char mark = take_mark(s, "-/.");
  const auto month = take_int(s, 2);
  if (mark == '\0' || !month || take_mark(s, std::string_view(&mark, 1)) == '\0') return std::nullopt;
  const auto day = take_int(s, 2);
  return day ? days(*year, *month, *day) : std::nullopt;
}

// What follows the day and the month: a mark as between them, or blanks, and the year.
std::optional<int> take_year(std::string_view& s) {
  std::size_t length = 0;
  const auto year = take_int(s, 4, &length);
  if (!year || (length != 4 && length != 2)) return std::nullopt;
  return whole_year(*year, length);
}

std::optional<double> date_day_first(std::string_view& s) {
  const auto day = take_int(s, 2);
  if (!day) return std::nullopt;
  const char mark = take_mark(s, "./- ");
  if (mark == '\0') return std::nullopt;
  if (mark == '.' || mark == ' ') s = s.substr(std::min(s.find_first_not_of(' '), s.size()));
  if (const auto month = take_month(s)) {
    take_mark(s, " -,");
    s = s.substr(std::min(s.find_first_not_of(' '), s.size()));
    const auto year = take_year(s);
    return year ? days(*year, *month, *day) : std::nullopt;
  }
  const auto month = take_int(s, 2);
  if (mark == ' ' || !month || take_mark(s, std::string_view(&mark, 1)) == '\0') return std::nullopt;
  if (mark == '.') s = s.substr(std::min(s.find_first_not_of(' '), s.size()));
  const auto year = take_year(s);
  return year ? days(*year, *month, *day) : std::nullopt;
}

std::optional<double> date_month_first(std::string_view& s) {
  if (const auto month = take_month(s)) {
    if (take_mark(s, " -") == '\0') return std::nullopt;
    const auto day = take_int(s, 2);
    if (!day) return std::nullopt;
    const bool comma = take(s, ",");
    if (take_mark(s, " -") == '\0' && !comma) return std::nullopt;
    const auto year = take_year(s);
    return year ? days(*year, *month, *day) : std::nullopt;
  }
  const auto month = take_int(s, 2);
  const char mark = take_mark(s, "/-");
  const auto day = take_int(s, 2);
  if (!month || mark == '\0' || !day || take_mark(s, std::string_view(&mark, 1)) == '\0') return std::nullopt;
  const auto year = take_year(s);
  return year ? days(*year, *month, *day) : std::nullopt;
}

std::optional<double> take_time(std::string_view& s) {
  const auto hour = take_int(s, 2);
  if (!hour || take_mark(s, ":") == '\0') return std::nullopt;
  std::size_t length = 0;
  const auto minute = take_int(s, 2, &length);
  if (!minute || length != 2 || *minute > 59) return std::nullopt;
  double seconds = *minute * 60;
  if (take_mark(s, ":") != '\0') {
    const auto second = take_int(s, 2, &length);
    if (!second || length != 2 || *second > 60) return std::nullopt;
    seconds += *second;
    if (s.size() > 1 && (s[0] == '.' || s[0] == ',') && is_digit(s[1])) {
      double unit = 0.1;
      for (s.remove_prefix(1); !s.empty() && is_digit(s.front()); s.remove_prefix(1), unit /= 10)
        seconds += (s.front() - '0') * unit;
    }
  }
  int hours = *hour;
  std::string_view rest = trimmed(s);
  const auto half = [&](char c) {
    return rest.size() >= 2 && lower(rest[0]) == c && lower(rest[1]) == 'm' &&
           (rest.size() == 2 || !is_letter(rest[2]));
  };
  if (half('a') || half('p')) {
    if (hours < 1 || hours > 12) return std::nullopt;
    hours = hours % 12 + (half('p') ? 12 : 0);
    s = rest.substr(2);
  }
  if (hours > 23) return std::nullopt;
  return hours * 3600.0 + seconds;
}

// Seconds that the clock is ahead of UTC.
std::optional<double> take_zone(std::string_view& s) {
  s = trimmed(s);
  if (s.empty()) return 0;
  if (take(s, "Z") || take(s, "z") || take(s, "UTC") || take(s, "GMT")) return 0;
  const bool behind = s.front() == '-';
  if (take_mark(s, "+-") == '\0') return std::nullopt;
  std::size_t length = 0;
  const auto first = take_int(s, 4, &length);
  if (!first || length == 3 || length == 1) return std::nullopt;
  int hours = *first, minutes = 0;
  if (length == 4) {
    hours = *first / 100;
    minutes = *first % 100;
  } else if (take(s, ":")) {
    const auto m = take_int(s, 2);
    if (!m) return std::nullopt;
    minutes = *m;
  }
  if (hours > 15 || minutes > 59) return std::nullopt;
  return (behind ? -1 : 1) * (hours * 3600.0 + minutes * 60.0);
}

std::optional<double> take_date(std::string_view& s, DateOrder order) {
  return order == DateOrder::year_first  ? date_year_first(s)
         : order == DateOrder::day_first ? date_day_first(s)
                                         : date_month_first(s);
}

}  // namespace

std::optional<double> cell_date(std::string_view s, DateOrder order) {
  const auto found = take_date(s, order);
  return s.empty() ? found : std::nullopt;
}

std::optional<double> cell_timestamp(std::string_view s, DateOrder order) {
  const auto day = take_date(s, order);
  if (!day) return std::nullopt;
  take(s, ",");
  if (take_mark(s, "T t") == '\0') return std::nullopt;
  s = trimmed(s);
  const auto time = take_time(s);
  if (!time) return std::nullopt;
  const auto zone = take_zone(s);
  if (!zone || !s.empty()) return std::nullopt;
  return *day * kDay + *time - *zone;
}

std::optional<double> cell_time(std::string_view s) {
  const auto found = take_time(s);
  return s.empty() ? found : std::nullopt;
}

}  // namespace shoal
