#include "shoal/core/utf8.h"

#include <cstdint>
#include <cstring>

namespace shoal {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

/// What a sequence's first byte promises: its length, and the range of its second byte. Later bytes
/// are 80..BF.
struct Lead {
  std::size_t length;  ///< 0: no sequence starts so
  unsigned char low, high;
};

Lead lead_of(unsigned char byte) {
  if (byte < 0x80) return {1, 0x80, 0xBF};
  if (byte < 0xC2) return {0, 0, 0};  // continuation bytes, and C0, C1, which would be overlong
  if (byte < 0xE0) return {2, 0x80, 0xBF};
  if (byte == 0xE0) return {3, 0xA0, 0xBF};  // overlong below
  if (byte == 0xED) return {3, 0x80, 0x9F};  // surrogates above
  if (byte < 0xF0) return {3, 0x80, 0xBF};
  if (byte == 0xF0) return {4, 0x90, 0xBF};  // overlong below
  if (byte < 0xF4) return {4, 0x80, 0xBF};
  if (byte == 0xF4) return {4, 0x80, 0x8F};  // over U+10FFFF above
  return {0, 0, 0};
}

struct Piece {
  std::size_t length;  ///< bytes of the sequence, or of the maximal ill-formed piece
  bool valid;
};

Piece piece_at(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const Lead lead = lead_of(byte(0));
  if (lead.length == 0) return {1, false};
  for (std::size_t i = 1; i < lead.length; ++i) {
    if (at + i >= text.size()) return {i, false};
    const unsigned char low = i == 1 ? lead.low : 0x80, high = i == 1 ? lead.high : 0xBF;
    if (byte(i) < low || byte(i) > high) return {i, false};
  }
  return {lead.length, true};
}

/// The end of the ASCII run at `at`, eight bytes a step: most of most texts.
std::size_t skip_ascii(std::string_view text, std::size_t at) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080u;
  for (std::uint64_t word; at + sizeof word <= text.size(); at += sizeof word) {
    std::memcpy(&word, text.data() + at, sizeof word);
    if (word & kHighBits) break;
  }
  while (at < text.size() && static_cast<unsigned char>(text[at]) < 0x80) ++at;
  return at;
}

std::size_t first_invalid_from(std::string_view text, std::size_t at) {
  while ((at = skip_ascii(text, at)) < text.size()) {
    const Piece piece = piece_at(text, at);
    if (!piece.valid) return at;
    at += piece.length;
  }
  return std::string_view::npos;
}

}  // namespace

std::size_t first_invalid_utf8(std::string_view text) { return first_invalid_from(text, 0); }

std::string repair_utf8(std::string_view text, Index* replaced) {
  std::string out;
  out.reserve(text.size());
  std::size_t kept = 0;  // everything before is in `out`
  for (std::size_t bad; (bad = first_invalid_from(text, kept)) != std::string_view::npos;) {
    out.append(text, kept, bad - kept).append(kReplacement);
    kept = bad + piece_at(text, bad).length;
    if (replaced) ++*replaced;
  }
  return out.append(text, kept);
}

CodePoint code_point_at(std::string_view text, std::size_t at) {
  const auto first = static_cast<unsigned char>(text[at]);
  const std::size_t length = lead_of(first).length;
  if (length == 1) return {first, 1};
  char32_t value = first & (0x7Fu >> length);
  for (std::size_t i = 1; i < length; ++i)
    value = value << 6 | (static_cast<unsigned char>(text[at + i]) & 0x3Fu);
  return {value, length};
}

void append_utf8(std::string& text, char32_t value) {
  const auto tail = [&](int shift) { text += static_cast<char>(0x80 | (value >> shift & 0x3F)); };
  if (value < 0x80) {
    text += static_cast<char>(value);
  } else if (value < 0x800) {
    text += static_cast<char>(0xC0 | value >> 6);
    tail(0);
  } else if (value > 0x10FFFF || (value >= 0xD800 && value < 0xE000)) {
    text += kReplacement;
  } else if (value < 0x10000) {
    text += static_cast<char>(0xE0 | value >> 12);
    tail(6), tail(0);
  } else {
    text += static_cast<char>(0xF0 | value >> 18);
    tail(12), tail(6), tail(0);
  }
}

}  // namespace shoal
