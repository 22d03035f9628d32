#pragma once

#include <string_view>

namespace shoal {

/// Han, kana and their extensions.
inline bool is_east_asian(char32_t c) {
  if (c == 0x30FB || c == 0x30A0) return false;  // signs between words
  return (c >= 0x3041 && c < 0x3100) || (c >= 0x31A0 && c < 0x3200 && !(c >= 0x31C0 && c < 0x31F0)) ||
         (c >= 0x3400 && c < 0x4DC0) || (c >= 0x4E00 && c < 0xA000) || (c >= 0xF900 && c < 0xFB00) ||
         (c >= 0x20000 && c < 0x32000) || c == 0x3005 || c == 0x3007;
}

/// Letters and marks, no digits, of Thai, Lao, Burmese and Khmer.
inline bool is_south_east_asian(char32_t c) {
  return (c >= 0x0E01 && c <= 0x0E3A) || (c >= 0x0E40 && c <= 0x0E4E) || (c >= 0x0E81 && c <= 0x0ECE) ||
         (c >= 0x0EDC && c <= 0x0EDF) || (c >= 0x1000 && c <= 0x103F) || (c >= 0x1050 && c <= 0x108F) ||
         (c >= 0x1780 && c <= 0x17D3) || c == 0x17D7 || c == 0x17DC || c == 0x17DD;
}

}  // namespace shoal
