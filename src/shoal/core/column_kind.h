#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "shoal/core/matrix.h"

namespace shoal {

/// What the cells of a column are, as people read them.
enum class ColumnKind : std::uint8_t {
  empty,      ///< no cell has a value
  number,     ///< 12, -0.5, 1e3, 1,234.5, 1 234,5, 1.005,50
  percent,    ///< 12%, 12,5 %: its value is 12, not 0.12
  money,      ///< $1.50, 3 EUR, ($5.00) for -5: one currency throughout
  date,       ///< 2024-12-31, 31.12.2024, 12/31/2024, 31 Dec 2024: its value is days since 1970-01-01
  time,       ///< 9:05, 09:05:30.5, 9:05 PM: its value is seconds since midnight
  timestamp,  ///< a date and a time, perhaps with a time zone: its value is seconds since 1970-01-01 UTC
  boolean,    ///< true and false, yes and no, y and n, t and f, on and off: its value is 1 or 0
  category,   ///< at most 200 different values, each twice on average
  id,         ///< all different, and no text: a running number, one of more than 15 digits, a code
  text,       ///< anything else
  json        ///< lists and objects
};
constexpr auto names_of(ColumnKind) {
  return std::array{"empty",     "number",  "percent",  "money", "date", "time",
                    "timestamp", "boolean", "category", "id",    "text", "json"};
}

/// True for the ways in which a cell says that nothing is known: empty or blanks, NA, N/A, n/a, NaN, nan,
/// NULL, null.
bool is_missing(std::string_view cell);

/// What was found about a column.
struct ColumnProfile {
  ColumnKind kind = ColumnKind::empty;
  /// How it is written, where there is a choice: "decimal comma", "day first", "month first", "month first
  /// or day first: no day is above 12", the currency.
  std::string written;
  Index filled = 0, missing = 0;      ///< cells with a value, and without (is_missing)
  Index fits = 0;                     ///< of those filled, as the kind says
  Index different = 0;                ///< values; at most kMostDifferent are told apart
  std::vector<std::string> examples;  ///< the first three different ones, cut to 40 bytes
  bool has_values() const;  ///< of a kind whose cells stand for numbers: number to boolean, running ids

  /// The number that a cell stands for, blanks around it aside. Nothing if it is missing, does not fit, or is
  /// beyond what a double can hold (1e400): never an infinity.
  std::optional<double> value(std::string_view cell) const;

 private:
  friend class ColumnSketch;
  int form = -1;
};

/// Looks at a column cell by cell and tells its kind: the one that at least nine in ten of the filled cells
/// fit. What one cell leaves open, the whole column decides: 1.005 is 1005 beside 1.005,50, and 03/04/2024 is
/// the 3rd of April beside 31/04/2024. Where nothing decides, a point is a decimal point, and slashes have
/// the month first. Memory: one set of at most kMostDifferent hashes.
///
///   ColumnSketch sketch;
///   for (Index i = 0; i < column.size(); ++i) sketch.add(column[i]);
///   const ColumnProfile profile = sketch.profile();
class ColumnSketch {
 public:
  static constexpr Index kMostDifferent = 1u << 17;
  static constexpr int kForms = 14;
  void add(std::string_view cell);
  ColumnProfile profile() const;

 private:
  Index filled_ = 0, missing_ = 0;
  std::array<Index, kForms> fits_{};
  Index slashes_ = 0, codes_ = 0, structures_ = 0, whole_ = 0, long_ = 0, running_ = 0;
  std::string currency_;
  double last_ = 0;
  std::unordered_set<std::uint64_t> different_;
  bool repeated_ = false;
  std::vector<std::string> examples_;
};

}  // namespace shoal
