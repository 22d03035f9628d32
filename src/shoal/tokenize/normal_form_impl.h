#pragma once

#include <string>
#include <string_view>

namespace shoal {

/// True for a zero-width joiner or non-joiner.
inline bool is_tie(char32_t c) { return c == 0x200C || c == 0x200D; }

inline bool is_ascii(std::string_view text) {
  unsigned char all = 0;
  for (char c : text) all |= static_cast<unsigned char>(c);
  return all < 0x80;
}

/// `options` of utf8proc_map, beside those of a stable form; empty if it fails.
std::string mapped(std::string_view text, int options);

/// NFKC in lower case without invisible characters but the zero-width space and the joiners. NFKC parts the
/// AM of Thai and Lao in two; here it is whole. `turkic`: I is ı.
std::string normalized(std::string_view text, bool turkic);

}  // namespace shoal
