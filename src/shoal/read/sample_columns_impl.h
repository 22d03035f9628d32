#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "shoal/read/sample_rows_impl.h"

namespace shoal {

/// What a cell is at first sight, enough to tell a header from what is below it.
enum class CellLook : std::uint8_t { empty, number, date, link, text };

CellLook look_of(std::string_view raw);
/// True for what has a form: numbers, dates and links.
bool is_typed(CellLook kind);
/// Without blanks and ends of lines around it.
std::string_view trimmed_cell(std::string_view s);
bool has_only(std::string_view text, std::string_view allowed);

/// What the rows from `first` on are like, read in one way.
struct SampleColumns {
  Index rows = 0;
  std::vector<Index> numbers, dates, links, filled, quoted, prose;  ///< cells of each column

  SampleColumns(const std::vector<SampleRow>& all, std::size_t first, Index fields);
  /// The kind that nine of ten values of a column have; text if none.
  CellLook kind(Index i) const;
  bool typed_any() const;
};

}  // namespace shoal
