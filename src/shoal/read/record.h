#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "shoal/read/source.h"

namespace shoal {

/// other: a number, true, an array, an object. missing: the row has no such key.
enum class ValueKind : std::uint8_t { string, null, other, missing };

/// One record, field by field in the order of its reader's columns. The views hold until the next record.
struct Record {
  std::vector<std::string_view> fields;
  std::vector<ValueKind> kinds;  ///< empty: all are strings
  bool utf8 = true;              ///< the bytes of the whole record are well-formed
  bool surrogates =
      false;  ///< they are, but for what a lone surrogate escape of JSON left (then utf8 is false)
};

inline constexpr std::size_t kMostNotes = 10;

/// Adds a note to the report unless it has ten.
inline void add_note(ReadReport& report, const std::string& note) {
  if (report.notes.size() < kMostNotes) report.notes.push_back(note);
}

}  // namespace shoal
