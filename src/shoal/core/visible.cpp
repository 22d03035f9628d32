#include "shoal/core/visible.h"

#include "shoal/core/utf8.h"

namespace shoal {
namespace {

bool is_steering(char32_t c) {
  return (c < 0x20 && c != '\t' && c != '\n') || (c >= 0x7F && c < 0xA0) || c == 0x061C || c == 0x200E ||
         c == 0x200F || (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

}  // namespace

std::string visible(std::string_view text, std::string (*write)(char32_t)) {
  const std::string whole = repair_utf8(text);
  std::string out;
  out.reserve(whole.size());
  for (std::size_t at = 0; at < whole.size();) {
    const CodePoint c = code_point_at(whole, at);
    is_steering(c.value) ? out += write(c.value) : out.append(whole, at, c.length);
    at += c.length;
  }
  return out;
}

}  // namespace shoal
