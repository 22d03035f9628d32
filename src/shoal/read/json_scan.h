#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shoal/read/record.h"

namespace shoal {

/// One member of a JSON object, as it lies in the text.
struct JsonMember {
  std::string_view key;    ///< between its quotes
  std::string_view value;  ///< a string: between its quotes; anything else: its JSON text
  ValueKind kind = ValueKind::string;
  bool key_escaped = false, value_escaped = false;  ///< holds a backslash: decode_json_string makes the value
};

struct JsonFault {
  std::size_t offset;
  std::string reason;  ///< "a comma or } was expected after a value"
};

/// Checks that `text` is exactly one JSON object (RFC 8259, spaces around it allowed) and lists its members.
/// As Python's json does, it takes NaN, Infinity and -Infinity for numbers. Strings may hold any bytes from
/// 0x80 on. Nesting deeper than 512 is a fault. Values are not converted: numbers keep their digits.
std::optional<JsonFault> parse_json_object(std::string_view text, std::vector<JsonMember>& members);

/// Appends the value of a string that parse_json_object passed. A surrogate escape without its partner
/// becomes the byte FF, which repair_utf8 turns into one U+FFFD; then false is returned.
bool decode_json_string(std::string_view escaped, std::string& out);

/// Bytes of the object or array that begins at text[0], found by counting brackets outside strings; 0 if its
/// end is not there.
std::size_t json_extent(std::string_view text);

}  // namespace shoal
