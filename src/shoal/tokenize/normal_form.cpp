#include "shoal/tokenize/normal_form_impl.h"

#include <utf8proc.h>

#include <cstdlib>
#include <memory>

#include "shoal/core/utf8.h"

namespace shoal {
namespace {

/// Soft hyphens, marks of direction, variation selectors and the like; not the zero-width space and the
/// joiners.
bool is_invisible(char32_t c) {
  return c == 0xAD || c == 0x34F || c == 0x61C || c == 0x115F || c == 0x1160 || c == 0x17B4 || c == 0x17B5 ||
         (c >= 0x180B && c <= 0x180F) || c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) ||
         (c >= 0x2060 && c <= 0x206F) || (c >= 0xFE00 && c <= 0xFE0F) || c == 0xFEFF ||
         (c >= 0xE0000 && c <= 0xE0FFF);
}

/// Lower case in its language.
char32_t lower(char32_t c, bool turkic) {
  if (c < 0x80) return c >= 'A' && c <= 'Z' ? (turkic && c == 'I' ? 0x131 : c + 32) : c;
  if (c == 0x130) return 'i';
  return static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c)));
}

}  // namespace

std::string mapped(std::string_view text, int options) {
  utf8proc_uint8_t* raw = nullptr;
  const auto size = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                 static_cast<utf8proc_ssize_t>(text.size()), &raw,
                                 static_cast<utf8proc_option_t>(UTF8PROC_STABLE | options));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(raw, &std::free);
  return size < 0 ? std::string()
                  : std::string(reinterpret_cast<const char*>(raw), static_cast<std::size_t>(size));
}

std::string normalized(std::string_view text, bool turkic) {
  const std::string composed = mapped(repair_utf8(text), UTF8PROC_COMPOSE | UTF8PROC_COMPAT);
  std::string out;
  out.reserve(composed.size());
  char32_t before = 0;
  for (std::size_t at = 0; at < composed.size();) {
    const CodePoint c = code_point_at(composed, at);
    at += c.length;
    if (is_invisible(c.value)) continue;
    if (c.value == 0x307 && before == 'i') continue;  // the rest of a decomposed İ
    const bool am = (c.value == 0xE32 && before == 0xE4D) || (c.value == 0xEB2 && before == 0xECD);
    if (am) out.resize(out.size() - 3);
    before = am ? c.value + 1 : lower(c.value, turkic);
    append_utf8(out, before);
  }
  return out;
}

}  // namespace shoal
