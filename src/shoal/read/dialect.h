#pragma once

#include <optional>
#include <string_view>

#include "shoal/read/csv.h"

namespace shoal {

/// What the user has said of a table; the rest is found.
struct CsvHints {
  std::optional<char> delimiter, quote;  ///< quote: 0 for none
  std::optional<bool> backslash, header;
  std::optional<Index> skipped;
  char usual = ',';  ///< the delimiter that the file's ending promises: of two that fit alike it is taken
};

/// How sure it is that a text is a table.
enum class Table : std::uint8_t {
  no,      ///< it may be, if its name says so
  likely,  ///< it is, unless its name says otherwise
  certain
};

struct FoundLayout {
  CsvLayout layout;
  Table table = Table::no;
};

/// Bytes and rows looked at.
inline constexpr std::size_t kLayoutBytes = 15u << 16;  // less than a block of Input
inline constexpr Index kLayoutRows = 200;

/// How the table is written whose first bytes are `head` (all of it, if `whole`). Each delimiter (comma,
/// semicolon, tab, bar), quote (", ' or none) and escape (doubled or backslash) that occurs is tried on the
/// first rows. The one wins that cuts most rows into as many fields as most have, with nothing behind closing
/// quotes; of several that one which more columns of numbers, dates or links speak for, and then the header's
/// most frequent delimiter. If none cuts four of five rows alike, the header line decides (sniff_csv). Lines
/// before the first row of that many fields are titles, if names follow them. There is no header if the first
/// row is like the rows below: numbers, dates or links where they have such, values that return, or a
/// sentence. Excel's first line "sep=;" is obeyed.
FoundLayout find_layout(std::string_view head, bool whole, const CsvHints& hints);

}  // namespace shoal
