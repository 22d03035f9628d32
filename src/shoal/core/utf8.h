#pragma once

#include <string>
#include <string_view>

#include "shoal/core/matrix.h"

namespace shoal {

/// Where the first byte stands that belongs to no well-formed UTF-8 sequence (Unicode table 3-7: no
/// surrogates, nothing above U+10FFFF, shortest forms only); std::string_view::npos if there is none.
std::size_t first_invalid_utf8(std::string_view text);

/// `text` with every maximal ill-formed piece replaced by one U+FFFD: what Python's
/// bytes.decode("utf-8", errors="replace") gives. Adds the number of replacements to `*replaced` if given.
std::string repair_utf8(std::string_view text, Index* replaced = nullptr);

/// One code point of a text and the bytes that it takes.
struct CodePoint {
  char32_t value = 0;
  std::size_t length = 0;
};

/// The code point that starts at `text[at]`. `text` must be valid UTF-8 and `at` the start of a sequence.
CodePoint code_point_at(std::string_view text, std::size_t at);

/// Appends the UTF-8 bytes of a code point; U+FFFD for what is none.
void append_utf8(std::string& text, char32_t value);

}  // namespace shoal
