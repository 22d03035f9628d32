#include "shoal/core/column_kind.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace shoal {
namespace {

// The ways to write a value that are counted for each column.
enum Form {
  kNumberPoint,
  kNumberComma,
  kPercentPoint,
  kPercentComma,
  kMoneyPoint,
  kMoneyComma,
  kDateYear,  // first
  kDateDay,
  kDateMonth,
  kTime,
  kStampYear,
  kStampDay,
  kStampMonth,
  kBoolean,
  kFormCount
};
static_assert(kFormCount == ColumnSketch::kForms);

constexpr std::size_t kLongest = 64;  // bytes of a value that is no text
constexpr std::size_t kExample = 40;  // bytes of an example
constexpr Index kExamples = 3, kMostCategories = 200, kExactDigits = 15;
constexpr double kDay = 86400;
constexpr double kBeyond = std::numeric_limits<double>::quiet_NaN();  // well-formed, but no double holds it

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool take(std::string_view& s, std::string_view prefix) {
  if (!s.starts_with(prefix)) return false;
  s.remove_prefix(prefix.size());
  return true;
}

bool take_end(std::string_view& s, std::string_view suffix) {
  if (!s.ends_with(suffix)) return false;
  s.remove_suffix(suffix.size());
  return true;
}

// Also the spaces that do not break a line.
std::string_view trimmed(std::string_view s) {
  for (bool more = true; more && !s.empty();) {
    more = take(s, "\u00A0") || take(s, "\u202F");
    if (!s.empty() && is_blank(s.front())) s.remove_prefix(1), more = true;
  }
  for (bool more = true; more && !s.empty();) {
    more = take_end(s, "\u00A0") || take_end(s, "\u202F");
    if (!s.empty() && is_blank(s.back())) s.remove_suffix(1), more = true;
  }
  return s;
}

bool take_sign(std::string_view& s) {
  if (take(s, "-") || take(s, "\u2212")) return true;
  take(s, "+");
  return false;
}

// The mark between groups of digits at the begin of `s`: its length, or 0.
std::size_t group_mark(std::string_view s, char decimal) {
  if (s.empty()) return 0;
  if (s[0] == (decimal == '.' ? ',' : '.') || s[0] == ' ' || s[0] == '\'') return 1;
  if (s.starts_with("\u00A0")) return 2;
  if (s.starts_with("\u202F") || s.starts_with("\u2019")) return 3;
  return 0;
}

// The digits before the decimal mark, groups put together. Groups have three digits, or two but for the last
// as in India, and all the same mark.
bool take_whole(std::string_view& s, char decimal, std::string& digits, bool& grouped) {
  std::string_view mark;
  std::size_t group = 0;
  grouped = false;
  for (;;) {
    while (!s.empty() && is_digit(s.front())) {
      digits += s.front();
      s.remove_prefix(1);
      ++group;
    }
    const std::size_t n = group_mark(s, decimal);
    const bool more = n > 0 && s.size() > n && is_digit(s[n]) && (mark.empty() || s.starts_with(mark));
    if (!more) break;
    if (grouped ? group != 3 && group != 2 : group > 3 || group == 0 || digits[0] == '0') return false;
    mark = s.substr(0, n);
    s.remove_prefix(n);
    grouped = true;
    group = 0;
  }
  return !grouped || group == 3;
}

std::optional<double> number(std::string_view s, char decimal) {
  std::string digits = take_sign(s) ? "-" : "";
  const std::size_t sign = digits.size();
  bool grouped = false;
  std::string whole;
  if (!take_whole(s, decimal, whole, grouped)) return std::nullopt;
  digits += whole.empty() ? "0" : whole;
  std::size_t fraction = 0;
  if (!s.empty() && s.front() == decimal) {
    s.remove_prefix(1);
    digits += '.';
    for (; !s.empty() && is_digit(s.front()); s.remove_prefix(1), ++fraction) digits += s.front();
    if (fraction == 0) digits.pop_back();
  }
  if (whole.empty() && fraction == 0) return std::nullopt;
  if (!s.empty() && (s.front() == 'e' || s.front() == 'E') && !grouped) {
    s.remove_prefix(1);
    digits += 'e';
    digits += take_sign(s) ? "-" : "";
    if (s.empty()) return std::nullopt;
    for (; !s.empty() && is_digit(s.front()); s.remove_prefix(1)) digits += s.front();
    if (!is_digit(digits.back())) return std::nullopt;
  }
  if (!s.empty()) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error == std::errc::result_out_of_range) {
    // Too small is 0, too large is beyond.
    const std::size_t e = digits.find('e');
    return e != std::string::npos && digits[e + 1] == '-' ? std::optional(0.0) : std::optional(kBeyond);
  }
  if (error != std::errc() || end != digits.data() + digits.size() || digits.size() == sign)
    return std::nullopt;
  return std::isfinite(value) ? value : kBeyond;
}

std::optional<double> percent(std::string_view s, char decimal) {
  if (!take_end(s, "%") && !take_end(s, "\u066A")) return std::nullopt;
  return number(trimmed(s), decimal);
}

// Signs and ISO 4217 codes.
constexpr std::string_view kCurrencies[] = {"US$",
                                            "A$",
                                            "C$",
                                            "R$",
                                            "$",
                                            "\u20AC",
                                            "\u00A3",
                                            "\u00A5",
                                            "\u20BD",
                                            "\u20B9",
                                            "\u20A9",
                                            "\u20BA",
                                            "\u20B4",
                                            "\u20AA",
                                            "\u0E3F",
                                            "\u20AB",
                                            "\u20A6",
                                            "\u20B8",
                                            "\u20BC",
                                            "\u20BE",
                                            "USD",
                                            "EUR",
                                            "GBP",
                                            "JPY",
                                            "CNY",
                                            "RUB",
                                            "INR",
                                            "KRW",
                                            "TRY",
                                            "UAH",
                                            "ILS",
                                            "THB",
                                            "VND",
                                            "NGN",
                                            "KZT",
                                            "CHF",
                                            "SEK",
                                            "NOK",
                                            "DKK",
                                            "PLN",
                                            "CZK",
                                            "HUF",
                                            "RON",
                                            "BGN",
                                            "CAD",
                                            "AUD",
                                            "NZD",
                                            "MXN",
                                            "BRL",
                                            "ZAR",
                                            "SGD",
                                            "HKD",
                                            "TWD",
                                            "IDR",
                                            "MYR",
                                            "PHP",
                                            "SAR",
                                            "AED",
                                            "EGP",
                                            "kr.",
                                            "kr",
                                            "z\u0142",
                                            "K\u010D",
                                            "Ft",
                                            "\u0440\u0443\u0431.",
                                            "\u0440\u0443\u0431",
                                            "TL"};

std::string_view take_currency(std::string_view& s) {
  for (const std::string_view c : kCurrencies) {
    if (take(s, c) || take_end(s, c)) {
      s = trimmed(s);
      return c;
    }
  }
  return {};
}

std::optional<double> money(std::string_view s, char decimal, std::string_view& currency) {
  bool negative = false;
  if (s.size() > 2 && s.front() == '(' && s.back() == ')') {
    negative = true;
    s = trimmed(s.substr(1, s.size() - 2));
  }
  if (take_sign(s)) negative = !negative;
  s = trimmed(s);
  currency = take_currency(s);
  if (currency.empty()) return std::nullopt;
  const auto value = number(s, decimal);
  return value && negative ? std::optional(-*value) : value;
}

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
  return era * 146097.0 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
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

std::optional<double> take_date(std::string_view& s, int order) {
  return order == 0 ? date_year_first(s) : order == 1 ? date_day_first(s) : date_month_first(s);
}

std::optional<double> date(std::string_view s, int order) {
  const auto found = take_date(s, order);
  return s.empty() ? found : std::nullopt;
}

std::optional<double> timestamp(std::string_view s, int order) {
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

std::optional<double> time_of_day(std::string_view s) {
  const auto found = take_time(s);
  return s.empty() ? found : std::nullopt;
}

std::optional<double> boolean(std::string_view s) {
  std::string word;
  for (const char c : s.substr(0, 6)) word += lower(c);
  for (const char* yes : {"true", "yes", "y", "t", "on"})
    if (word == yes) return 1;
  for (const char* no : {"false", "no", "n", "f", "off"})
    if (word == no) return 0;
  return std::nullopt;
}

std::optional<double> parse(std::string_view s, int form, std::string_view& currency) {
  switch (form) {
    case kNumberPoint:
      return number(s, '.');
    case kNumberComma:
      return number(s, ',');
    case kPercentPoint:
      return percent(s, '.');
    case kPercentComma:
      return percent(s, ',');
    case kMoneyPoint:
      return money(s, '.', currency);
    case kMoneyComma:
      return money(s, ',', currency);
    case kDateYear:
    case kDateDay:
    case kDateMonth:
      return date(s, form - kDateYear);
    case kTime:
      return time_of_day(s);
    case kStampYear:
    case kStampDay:
    case kStampMonth:
      return timestamp(s, form - kStampYear);
    default:
      return boolean(s);
  }
}

ColumnKind kind_of(int form) {
  if (form <= kNumberComma) return ColumnKind::number;
  if (form <= kPercentComma) return ColumnKind::percent;
  if (form <= kMoneyComma) return ColumnKind::money;
  if (form <= kDateMonth) return ColumnKind::date;
  if (form == kTime) return ColumnKind::time;
  return form == kBoolean ? ColumnKind::boolean : ColumnKind::timestamp;
}

std::uint64_t hash_of(std::string_view s) {  // FNV-1a
  std::uint64_t h = 0xCBF29CE484222325u;
  for (const char c : s) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
  return h;
}

// A code: no blanks, and a digit.
bool is_code(std::string_view s) {
  return s.size() <= kLongest && std::ranges::none_of(s, is_blank) && std::ranges::any_of(s, is_digit);
}

}  // namespace

bool is_missing(std::string_view cell) {
  while (!cell.empty() && is_blank(cell.front())) cell.remove_prefix(1);
  while (!cell.empty() && is_blank(cell.back())) cell.remove_suffix(1);
  if (cell.empty()) return true;
  for (const char* word : {"NA", "N/A", "n/a", "NaN", "nan", "NULL", "null"})
    if (cell == word) return true;
  return false;
}

bool ColumnProfile::has_values() const {
  return form >= 0 && ((kind >= ColumnKind::number && kind <= ColumnKind::boolean) || kind == ColumnKind::id);
}

std::optional<double> ColumnProfile::value(std::string_view cell) const {
  if (form < 0 || is_missing(cell)) return std::nullopt;
  cell = trimmed(cell);
  if (cell.empty() || cell.size() > kLongest) return std::nullopt;
  std::string_view currency;
  const auto found = parse(cell, form, currency);
  const bool other_currency = kind == ColumnKind::money && !written.starts_with(currency);
  if (!found || !std::isfinite(*found) || other_currency) return std::nullopt;
  return found;
}

void ColumnSketch::add(std::string_view cell) {
  if (is_missing(cell)) {
    ++missing_;
    return;
  }
  cell = trimmed(cell);
  ++filled_;
  if (different_.size() < kMostDifferent) {
    const bool is_new = different_.insert(hash_of(cell)).second;
    repeated_ = repeated_ || !is_new;
    if (is_new && examples_.size() < kExamples) {
      std::size_t n = std::min(cell.size(), kExample);
      while (n < cell.size() && n > 0 && (cell[n] & 0xC0) == 0x80) --n;
      examples_.emplace_back(cell.substr(0, n));
    }
  }
  structures_ += cell.size() > 1 &&
                 ((cell.front() == '{' && cell.back() == '}') || (cell.front() == '[' && cell.back() == ']'));
  codes_ += is_code(cell);
  if (cell.size() > kLongest) return;
  slashes_ += cell.find('/') != cell.npos;
  for (int form = 0; form < kFormCount; ++form) {
    std::string_view currency;
    const auto value = parse(cell, form, currency);
    if (!value) continue;
    if (!currency.empty()) {
      if (currency_.empty()) currency_ = currency;
      if (currency != currency_) continue;
    }
    ++fits_[form];
    if (form != kNumberPoint) continue;
    const bool whole = std::ranges::all_of(cell, is_digit);
    whole_ += whole;
    long_ += whole && cell.size() > kExactDigits;
    running_ += whole && (filled_ == 1 || *value == last_ + 1);
    last_ = *value;
  }
}

ColumnProfile ColumnSketch::profile() const {
  ColumnProfile out;
  out.filled = filled_;
  out.missing = missing_;
  out.different = different_.size();
  out.examples = examples_;
  if (filled_ == 0) return out;
  const auto enough = [&](Index fits) { return fits * 10 >= filled_ * 9; };
  int best = 0;
  for (int form = 1; form < kFormCount; ++form)
    if (fits_[form] > fits_[best]) best = form;
  // Two ways fit as many: slashes have the month first.
  const bool open = (best == kDateDay || best == kStampDay) && fits_[best] == fits_[best + 1];
  if (open && slashes_ > 0) ++best;
  const bool distinct = !repeated_ && filled_ > 1;
  if (fits_[best] > 0) out.form = best;
  if (enough(fits_[best])) {
    out.kind = kind_of(best);
    out.fits = fits_[best];
    const bool comma = best == kNumberComma || best == kPercentComma || best == kMoneyComma;
    if (out.kind == ColumnKind::money) out.written = currency_;
    if (comma) out.written += out.written.empty() ? "decimal comma" : ", decimal comma";
    if (best == kDateDay || best == kStampDay) out.written = "day first";
    if (best == kDateMonth || best == kStampMonth)
      out.written = open ? "month first or day first: no day is above 12" : "month first";
    const bool id =
        distinct && whole_ == filled_ && (long_ == filled_ || (running_ == filled_ && filled_ > 2));
    if (id) out.kind = ColumnKind::id;
    return out;
  }
  out.fits = filled_;
  if (enough(structures_)) {
    out.kind = ColumnKind::json;
    out.fits = structures_;
  } else if (different_.size() <= kMostCategories && different_.size() * 2 <= filled_) {
    out.kind = ColumnKind::category;
  } else if (distinct && codes_ == filled_) {
    out.kind = ColumnKind::id;
  } else {
    out.kind = ColumnKind::text;
  }
  return out;
}

}  // namespace shoal
