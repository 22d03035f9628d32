#include "shoal/read/header_row_impl.h"

#include <algorithm>
#include <set>
#include <string>

#include "shoal/read/columns.h"
#include "shoal/read/sample_columns_impl.h"

namespace shoal {
namespace {

constexpr Index kMostTitles = 20;

Index words_in(std::string_view text) {
  Index words = 0;
  bool inside = false;
  for (const char c : text) {
    const bool space = c == ' ' || (c >= '\t' && c <= '\r');
    words += !space && !inside;
    inside = !space;
  }
  return words;
}

// Whether a cell may be the name of a column.
bool is_name(std::string_view cell) {
  const std::string_view s = trimmed_cell(cell);
  if (s.empty() || s.size() > 100 || s.find_first_of("\r\n") != std::string_view::npos) return false;
  if (is_typed(look_of(s))) return false;
  return words_in(s) <= 5 && s.back() != '.' && s.back() != '!' && s.back() != ',';
}

bool is_question(std::string_view cell) {
  const std::string_view s = trimmed_cell(cell);
  return !s.empty() && (s.back() == '?' || s.back() == ':');
}

// A sentence rather than a name.
bool is_sentence(std::string_view cell) {
  return (words_in(cell) >= 5 || (words_in(cell) < 3 && cell.size() > 40)) && reads_like_prose(cell) &&
         !is_question(cell);
}

Index filled_cells(const SampleRow& row) {
  return static_cast<Index>(std::count_if(row.cells.begin(), row.cells.end(), [](const SampleCell& c) {
    return !trimmed_cell(c.value).empty();
  }));
}

// Years in a row, as the columns of a table may be called.
bool counts_up(const SampleRow& row) {
  Index numbers = 0;
  long last = 0;
  for (const SampleCell& cell : row.cells) {
    const std::string_view s = trimmed_cell(cell.value);
    if (s.empty() || s.size() > 4 || !has_only(s, "0123456789")) continue;
    const long value = std::stol(std::string(s));
    if (numbers > 0 && value != last + 1) return false;
    last = value;
    ++numbers;
  }
  return numbers >= 2 && numbers < row.cells.size();
}

}  // namespace

bool all_names(const SampleRow& row, Index fields) {
  std::set<std::string> seen;
  for (Index i = 0; i < std::min(fields, row.cells.size()); ++i) {
    if (!is_name(row.cells[i].value) || !seen.insert(row.cells[i].value).second) return false;
  }
  return row.cells.size() >= fields;
}

bool has_text_name(const SampleRow& row) {
  return std::any_of(row.cells.begin(), row.cells.end(),
                     [](const SampleCell& c) { return is_text_name(trimmed_cell(c.value)); });
}

bool is_header(const std::vector<SampleRow>& rows, std::size_t at, Index fields) {
  const SampleRow& first = rows[at];
  const SampleColumns below(rows, at + 1, fields);
  if (below.rows == 0 || has_text_name(first)) return true;
  const bool years = counts_up(first);
  int votes = 0;
  for (Index i = 0; i < std::min(fields, first.cells.size()); ++i) {
    const std::string& cell = first.cells[i].value;
    const CellLook kind = look_of(cell), column = below.kind(i);
    if (kind == CellLook::empty || column == CellLook::empty) continue;
    if (is_typed(column)) {
      votes += kind == column ? (years ? 0 : -2) : is_typed(kind) ? -1 : 2;
      continue;
    }
    const bool prose = 2 * below.prose[i] > below.filled[i];
    if (prose) {
      votes += is_sentence(cell) ? -2 : is_name(cell) ? 1 : 0;
      continue;
    }
    std::set<std::string> values;
    Index same = 0, seen = 0;
    for (std::size_t r = at + 1; r < rows.size(); ++r) {
      if (!has_fields(rows[r], fields) || rows[r].cells[i].value.empty()) continue;
      ++seen;
      same += rows[r].cells[i].value == cell;
      values.insert(rows[r].cells[i].value);
    }
    if (same > 0 && seen >= 3 && 2 * values.size() <= seen + 1) votes -= 2;
  }
  return votes >= 0;
}

std::size_t below_titles(const std::vector<SampleRow>& rows, Index fields, bool spaced) {
  std::size_t at = 0;
  const auto is_title = [&](const SampleRow& row) {
    return !has_fields(row, fields) || (fields >= 3 && filled_cells(row) <= 1);
  };
  while (at < rows.size() && at <= kMostTitles && is_title(rows[at])) ++at;
  if (at == 0 || at > kMostTitles || at + 2 >= rows.size() || !all_names(rows[at], fields)) return 0;
  const SampleColumns below(rows, at + 1, fields);
  const bool quoted = std::any_of(below.quoted.begin(), below.quoted.end(), [](Index n) { return n > 0; });
  const bool sure = below.typed_any() || quoted || fields >= 3 || has_text_name(rows[at]);
  return sure && !spaced && share_alike(rows, at, fields) >= 0.95 ? at : 0;
}

bool lacks_first_name(const std::vector<SampleRow>& rows, Index fields) {
  if (fields < 2 || rows.size() < 3 || rows[0].cells.size() + 1 != fields) return false;
  if (!all_names(rows[0], fields - 1) || share_alike(rows, 1, fields) < 0.95) return false;
  std::set<std::string> seen;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const SampleCell& cell = rows[i].cells[0];
    if (look_of(cell.value) != CellLook::number && !cell.quoted) return false;
    if (!seen.insert(cell.value).second || rows[i].cells.back().value.empty()) return false;
  }
  return true;
}

}  // namespace shoal
