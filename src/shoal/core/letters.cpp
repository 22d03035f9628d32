#include "shoal/core/letters.h"

#include <utf8proc.h>

#include <algorithm>

namespace shoal {
namespace {

struct Read {
  utf8proc_int32_t value = 0;
  std::size_t length = 1;
};

/// The code point at `at`; U+FFFD of one byte where there is none.
Read read_at(std::string_view text, std::size_t at) {
  utf8proc_int32_t value = 0;
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data()) + at;
  const auto left = static_cast<utf8proc_ssize_t>(std::min<std::size_t>(text.size() - at, 4));
  const utf8proc_ssize_t length = utf8proc_iterate(bytes, left, &value);
  return length > 0 ? Read{value, static_cast<std::size_t>(length)} : Read{0xFFFD, 1};
}

bool goes_on(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

}  // namespace

std::string_view beginning_of(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text;
  // Where a cluster ends depends on the code points before: 256 bytes are more than any real one has.
  constexpr std::size_t kBefore = 256;
  std::size_t at = most > kBefore ? most - kBefore : 0;
  for (int i = 0; i < 3 && at > 0 && goes_on(text[at]); ++i) --at;
  std::size_t cluster = 0, point = 0;  // ends of the last whole cluster and code point
  utf8proc_int32_t state = 0;
  for (Read one = read_at(text, at); at + one.length <= most;) {
    point = at += one.length;
    const Read next = read_at(text, at);  // there is one: the text is longer than `most`
    if (utf8proc_grapheme_break_stateful(one.value, next.value, &state)) cluster = at;
    one = next;
  }
  return text.substr(0, cluster > 0 ? cluster : point);
}

}  // namespace shoal
