#include "shoal/flow/tables/parquet_table.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "shoal/core/utf8.h"

namespace shoal {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// As JSON writes it: no sign +, no leading zero.
bool is_json_number(std::string_view s) {
  if (s.starts_with('-')) s.remove_prefix(1);
  if (s.empty() || !is_digit(s[0])) return false;
  return s.size() == 1 || s[0] != '0' || !is_digit(s[1]);
}

std::optional<std::int64_t> whole(std::string_view s) {
  std::int64_t x = 0;
  if (!is_json_number(s) || s == "-0") return std::nullopt;
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), x);
  return error == std::errc() && end == s.data() + s.size() ? std::optional(x) : std::nullopt;
}

std::optional<double> real(std::string_view s, bool json) {
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  if (json && s == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (json && s == "Infinity") return kInfinite;
  if (json && s == "-Infinity") return -kInfinite;
  double x = 0;
  if (!is_json_number(s)) return std::nullopt;
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), x);
  if (error != std::errc() || end != s.data() + s.size() || !std::isfinite(x)) return std::nullopt;
  // A whole number of more digits than a double keeps would be another one.
  const bool exact = std::abs(x) <= 9007199254740992.0 || s.find_first_of(".eE") != s.npos;
  return exact ? std::optional(x) : std::nullopt;
}

std::optional<bool> truth(std::string_view s, bool json) {
  if (s == "true" || (!json && (s == "True" || s == "TRUE"))) return true;
  if (s == "false" || (!json && (s == "False" || s == "FALSE"))) return false;
  return std::nullopt;
}

// Whether what follows the time of day names a time zone.
bool has_zone(std::string_view s) {
  const std::size_t colon = s.find(':');
  if (colon == s.npos) return false;
  return s.find_first_of("+-zZGU", colon) != s.npos;
}

// Digits behind the seconds' point.
std::size_t fraction_digits(std::string_view s) {
  const std::size_t point = s.find('.', std::min(s.find(':'), s.size()));
  if (point == s.npos) return 0;
  std::size_t n = 0;
  while (point + 1 + n < s.size() && is_digit(s[point + 1 + n])) ++n;
  return n;
}

constexpr double kMicro = 1e6;

}  // namespace

void ColumnType::add(std::string_view cell, CellKind kind) {
  typed_ = typed_ || kind != CellKind::string;
  if (kind == CellKind::null || kind == CellKind::missing || cell.empty()) return;
  ++filled_;
  const bool json = kind == CellKind::json;
  strings_ += !json;
  if (boolean_) boolean_ = truth(cell, json).has_value();
  if (real_) real_ = real(cell, json).has_value();
  if (whole_) whole_ = whole(cell).has_value();
  if (json) iso_ = false;
  if (!iso_) return;
  const bool zone = has_zone(cell);
  (zone ? no_zone_ : zone_) = false;
  iso_ = cell.size() >= 8 && cell.size() <= 40 && is_digit(cell[0]) && cell[4] == '-' &&
         fraction_digits(cell) <= 6;
  if (iso_) sketch_.add(cell);
}

ParquetType ColumnType::type() const {
  if (filled_ == 0) return ParquetType::string;
  const bool numbers = !typed_ || strings_ == 0;
  if (boolean_ && numbers) return ParquetType::boolean;
  if (whole_ && numbers) return ParquetType::int64;
  if (real_ && numbers) return ParquetType::float64;
  if (!iso_) return ParquetType::string;
  if (!found_) profile_ = sketch_.profile();
  found_ = true;
  if (!profile_.written.empty() || profile_.fits != filled_) return ParquetType::string;
  if (profile_.kind == ColumnKind::date) return ParquetType::date;
  if (profile_.kind != ColumnKind::timestamp || (!zone_ && !no_zone_)) return ParquetType::string;
  return zone_ ? ParquetType::timestamp_utc : ParquetType::timestamp;
}

void ColumnType::put(ParquetValues& values, std::string_view cell, CellKind kind) const {
  const bool json = kind == CellKind::json;
  const ParquetType as = type();
  if (kind == CellKind::null || kind == CellKind::missing) return values.add_null();
  if (as == ParquetType::string) return values.add(std::string_view(repair_utf8(cell)));
  if (cell.empty()) return values.add_null();
  if (as == ParquetType::boolean) return values.add(std::int64_t{truth(cell, json).value_or(false)});
  if (as == ParquetType::int64) return values.add(whole(cell).value_or(0));
  if (as == ParquetType::float64) return values.add(real(cell, json).value_or(0));
  const double value = profile_.value(cell).value_or(0);
  values.add(static_cast<std::int64_t>(as == ParquetType::date ? value : std::nearbyint(value * kMicro)));
}

void ColumnTypes::add(const std::vector<Texts>& columns, const Texts& kinds) {
  for (Index c = 0; c < columns.size(); ++c)
    for (Index i = 0; i < columns[c].size(); ++i) columns_[c].add(columns[c][i], kind_at(kinds, i, c + 1));
}

CellKind kind_at(const Texts& kinds, Index row, Index column) {
  return kinds.size() == 0 ? CellKind::string : static_cast<CellKind>(kinds[row][column]);
}

std::vector<std::string> free_names(const std::vector<std::string>& names, std::set<std::string> taken) {
  std::vector<std::string> out;
  for (const std::string& name : names) {
    std::string own = name;
    for (int n = 2; !taken.insert(own).second; ++n) own = name + " (" + std::to_string(n) + ")";
    out.push_back(own);
  }
  return out;
}

}  // namespace shoal
