#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shoal/core/column_kind.h"
#include "shoal/core/fields.h"
#include "shoal/core/labels.h"
#include "shoal/core/texts.h"

namespace shoal {

/// What a column's values are.
enum class OutcomeKind : std::uint8_t { two_values, categories, numbers };
constexpr auto names_of(OutcomeKind) { return std::array{"two-values", "categories", "numbers"}; }

struct OutcomeOptions {
  std::optional<OutcomeKind> kind;   ///< absent: found
  std::optional<std::string> value;  ///< this value against all others: two values
};
template <class V>
void fields(OutcomeOptions& o, V&& visit) {
  visit("kind", o.kind, "what the column holds. Default: found");
  visit("value", o.value, "compare this value with all others");
}

/// A column of something that is asked of each row: did they buy, which country, how many stars.
struct Outcome {
  OutcomeKind kind = OutcomeKind::two_values;
  /// Of two values and categories: by number where all are numbers, else by bytes. Of two values the second
  /// is the one that is counted.
  std::vector<std::string> categories;
  Labels category;              ///< of each row, kNoise where missing; empty for numbers
  std::vector<double> numbers;  ///< of each row, NaN where missing; empty for categories
  Index missing = 0;

  Index rows() const { return kind == OutcomeKind::numbers ? numbers.size() : category.of.size(); }
};

/// Most categories that a column may have to be compared with clusters.
inline constexpr Index kMostCategories = 200;

/// Two different values are two values, even if they are numbers; more are numbers if all are finite ones
/// as the column has them written (ColumnSketch: 12, -0.5, 1e3, 1.005,50, 12%, $1.50, dates and times, which
/// are numbers in the units of ColumnKind), else categories. Blanks around a value do not count.
/// Error(data) if there are fewer than two different values, more than kMostCategories categories, more than
/// two values where two were said, or, naming the row, something that is no number where numbers were said;
/// Error(argument) if `value` is none of them.
Outcome read_outcome(const Texts& column, const OutcomeOptions& options = {});

}  // namespace shoal
