#pragma once

#include <cstddef>
#include <string_view>

namespace shoal {

/// The longest start of `text` of at most `most` bytes that cuts no letter: it ends where a grapheme cluster
/// of Unicode (UAX 29) ends, so that marks, joined emoji and flags stay whole. A cluster longer than `most`
/// is cut at the end of a code point. Bytes that are no UTF-8 count as letters of their own.
std::string_view beginning_of(std::string_view text, std::size_t most);

}  // namespace shoal
