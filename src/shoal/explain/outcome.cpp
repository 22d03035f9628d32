#include "shoal/explain/outcome.h"

#include <algorithm>
#include <limits>
#include <set>

#include "shoal/core/error.h"
#include "shoal/core/letters.h"

namespace shoal {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

std::string_view trimmed(std::string_view cell) {
  const std::size_t first = cell.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return cell.substr(first, cell.find_last_not_of(kBlanks) - first + 1);
}

/// A value as messages show it.
std::string shown(std::string_view value) {
  return "'" + std::string(beginning_of(value, 60)) + (value.size() > 60 ? "...'" : "'");
}

/// What the cells of a column are, seen once.
struct Values {
  std::set<std::string, std::less<>> different;  // one more than are allowed at most
  ColumnProfile profile;
  bool all_numbers = true;
  Index missing = 0;
};

Values values_of(const Texts& column) {
  Values values;
  ColumnSketch sketch;
  for (Index i = 0; i < column.size(); ++i) sketch.add(column[i]);
  values.profile = sketch.profile();
  values.all_numbers = values.profile.has_values() && values.profile.kind != ColumnKind::boolean;
  for (Index i = 0; i < column.size(); ++i) {
    const std::string_view cell = trimmed(column[i]);
    if (is_missing(cell)) {
      ++values.missing;
      continue;
    }
    values.all_numbers = values.all_numbers && values.profile.value(cell).has_value();
    if (values.different.size() <= kMostCategories && !values.different.contains(cell))
      values.different.emplace(cell);
  }
  return values;
}

OutcomeKind kind_of(const Values& values, const OutcomeOptions& options) {
  if (options.value) {
    require(!options.kind || options.kind == OutcomeKind::two_values, Fault::argument,
            "one value against all others makes two values, and another kind was said");
    return OutcomeKind::two_values;
  }
  if (options.kind) return *options.kind;
  if (values.different.size() == 2) return OutcomeKind::two_values;
  return values.all_numbers ? OutcomeKind::numbers : OutcomeKind::categories;
}

std::vector<double> numbers_of(const Texts& column, const ColumnProfile& profile) {
  std::vector<double> out(column.size(), std::numeric_limits<double>::quiet_NaN());
  for (Index i = 0; i < column.size(); ++i) {
    const std::string_view cell = trimmed(column[i]);
    if (is_missing(cell)) continue;
    const auto value = profile.value(cell);
    const bool beyond = cell.find_first_not_of("0123456789+-.,eE") == cell.npos;
    if (!value) {
      throw Error(Fault::data, "row " + std::to_string(i) + ": " + shown(cell) +
                                   (beyond ? " is beyond the numbers that can be computed with (1.8e308)"
                                           : " is no number"));
    }
    out[i] = *value;
  }
  return out;
}

/// Their order, and a check that there are not too many.
std::vector<std::string> categories_of(const Values& values, OutcomeKind kind) {
  const Index n = values.different.size();
  if (kind == OutcomeKind::two_values && n > 2)
    throw Error(Fault::data, "more than two values, among them " + shown(*values.different.begin()) + ", " +
                                 shown(*std::next(values.different.begin())) + " and " +
                                 shown(*std::next(values.different.begin(), 2)) +
                                 "; say which one is to be compared with all others");
  if (n > kMostCategories)
    throw Error(Fault::data, "more than " + std::to_string(kMostCategories) +
                                 " different values, among them " + shown(*values.different.begin()) +
                                 "; categories are few, and numbers are all numbers");
  std::vector<std::string> out(values.different.begin(), values.different.end());
  if (values.all_numbers)
    std::ranges::stable_sort(out, {}, [&](const std::string& v) { return *values.profile.value(v); });
  return out;
}

/// The place of each cell's value among `categories`; with `value`, 1 for it and 0 for any other.
Labels labels_of(const Texts& column, const std::vector<std::string>& categories,
                 const std::optional<std::string>& value) {
  std::vector<Index> order(categories.size());
  for (Index i = 0; i < order.size(); ++i) order[i] = i;
  const auto name = [&](Index i) -> const std::string& { return categories[i]; };
  std::ranges::sort(order, {}, name);
  Labels out{.of = std::vector<Label>(column.size(), kNoise), .count = categories.size()};
  for (Index i = 0; i < column.size(); ++i) {
    const std::string_view cell = trimmed(column[i]);
    if (is_missing(cell)) continue;
    out.of[i] = value ? Label{cell == *value}
                      : static_cast<Label>(*std::ranges::lower_bound(order, cell, std::less<>(), name));
  }
  return out;
}

}  // namespace

Outcome read_outcome(const Texts& column, const OutcomeOptions& options) {
  const Values values = values_of(column);
  require(values.different.size() >= 2, Fault::data,
          values.different.empty() ? "no row has a value"
                                   : "all rows that have a value have " + shown(*values.different.begin()));
  Outcome out{.kind = kind_of(values, options), .missing = values.missing};
  if (out.kind == OutcomeKind::numbers) {
    out.numbers = numbers_of(column, values.profile);
  } else if (options.value) {
    const std::string value(trimmed(*options.value));
    out.categories = {"not " + value, value};
    out.category = labels_of(column, out.categories, value);
    require(std::ranges::find(out.category.of, 1) != out.category.of.end(), Fault::argument,
            "no row has the value " + shown(value));
  } else {
    out.categories = categories_of(values, out.kind);
    out.category = labels_of(column, out.categories, std::nullopt);
  }
  return out;
}

}  // namespace shoal
