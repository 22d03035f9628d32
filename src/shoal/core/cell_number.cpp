#include "shoal/core/cell_number_impl.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <string>

#include "shoal/core/cell_parts_impl.h"

namespace shoal {
namespace {

constexpr double kBeyond = std::numeric_limits<double>::quiet_NaN();  // well-formed, but no double holds it

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

}  // namespace

std::optional<double> cell_number(std::string_view s, char decimal) {
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

std::optional<double> cell_percent(std::string_view s, char decimal) {
  if (!take_end(s, "%") && !take_end(s, "\u066A")) return std::nullopt;
  return cell_number(trimmed(s), decimal);
}

std::optional<double> cell_money(std::string_view s, char decimal, std::string_view& currency) {
  bool negative = false;
  if (s.size() > 2 && s.front() == '(' && s.back() == ')') {
    negative = true;
    s = trimmed(s.substr(1, s.size() - 2));
  }
  if (take_sign(s)) negative = !negative;
  s = trimmed(s);
  currency = take_currency(s);
  if (currency.empty()) return std::nullopt;
  const auto value = cell_number(s, decimal);
  return value && negative ? std::optional(-*value) : value;
}

}  // namespace shoal
