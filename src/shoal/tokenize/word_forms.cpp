#include <utf8proc.h>

#include "shoal/core/utf8.h"
#include "shoal/tokenize/letters_impl.h"
#include "shoal/tokenize/normal_form_impl.h"
#include "shoal/tokenize/words.h"

namespace shoal {
namespace {

bool is_mark(char32_t c) {
  const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(c));
  return category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_MC ||
         category == UTF8PROC_CATEGORY_ME;
}

/// Vowel points of Hebrew, vowel marks and tatweel of Arabic.
bool is_point(char32_t c) {
  return (c >= 0x591 && c <= 0x5BD) || c == 0x5BF || c == 0x5C1 || c == 0x5C2 || c == 0x5C4 || c == 0x5C5 ||
         c == 0x5C7 || (c >= 0x610 && c <= 0x61A) || (c >= 0x64B && c <= 0x652) || c == 0x670 || c == 0x640 ||
         (c >= 0x656 && c <= 0x65F) || (c >= 0x6D6 && c <= 0x6ED);
}

bool has_accents(char32_t base) {  // Latin, Greek, Cyrillic
  return (base >= 'a' && base <= 'z') || (base >= 0xC0 && base < 0x250) || (base >= 0x370 && base < 0x530) ||
         (base >= 0x1E00 && base < 0x2000);
}

/// What a letter is for search, if that is another one.
std::string_view likened(char32_t c) {
  switch (c) {
    case 0xDF:
      return "ss";
    case 0xE6:
      return "ae";
    case 0x153:
      return "oe";
    case 0xF8:
      return "o";
    case 0x111:
    case 0xF0:
      return "d";
    case 0x142:
      return "l";
    case 0x127:
      return "h";
    case 0x131:
      return "i";
    case 0xFE:
      return "th";
    case 0x3C2:
      return "\u03C3";
    case 0x671:
      return "\u0627";
    case 0x649:  // alef maksura
    case 0x6CC:  // Persian yeh
      return "\u064A";
    case 0x6A9:
      return "\u0643";
    case 0x629:
      return "\u0647";
    default:
      return {};
  }
}

/// Calls `visit` for the parts of a word between hyphens, apostrophes and points.
void visit_parts(std::string_view word, const std::function<void(std::string_view)>& visit) {
  if (word.starts_with('.')) return visit(word);
  std::size_t from = 0;
  for (std::size_t at = 0; at <= word.size(); ++at) {
    if (at < word.size() && word[at] != '-' && word[at] != '\'' && word[at] != '.') continue;
    if (at > from) visit(word.substr(from, at - from));
    from = at + 1;
  }
}

}  // namespace

std::string search_form(std::string_view word) {
  if (is_ascii(word)) return std::string(word);
  const std::string parts = mapped(word, UTF8PROC_DECOMPOSE);
  std::string out;
  char32_t base = 0;
  for (std::size_t at = 0; at < parts.size();) {
    const CodePoint c = code_point_at(parts, at);
    at += c.length;
    if (is_point(c.value) || is_tie(c.value)) continue;
    if (c.value >= 0x653 && c.value <= 0x655) continue;  // madda and hamza on their letter
    if (c.value >= 0x300 && c.value < 0x370) {
      const bool own = (base == 0x438 && c.value == 0x306) || (base == 0x456 && c.value == 0x308);  // й, ї
      if (has_accents(base) && !own) continue;
    } else {
      base = c.value;
    }
    const std::string_view other = likened(c.value);
    other.empty() ? append_utf8(out, c.value) : void(out += other);
  }
  return mapped(out, UTF8PROC_COMPOSE);
}

std::string plain_form(std::string_view word) {
  if (is_ascii(word)) return {};
  std::string out;
  for (std::size_t at = 0; at < word.size();) {
    const CodePoint c = code_point_at(word, at);
    at += c.length;
    if (is_point(c.value) || is_tie(c.value)) continue;
    append_utf8(out, c.value == 0x451 ? 0x435 : c.value == 0x131 ? U'i' : c.value);
  }
  return out == word ? std::string() : out;
}

std::string index_form(std::string_view text) {
  std::string out;
  visit_words(text, [&](const Word& word) {
    visit_parts(search_form(word.text), [&](std::string_view part) {
      if (!out.empty()) out += ' ';
      out += part;
    });
  });
  return out;
}

std::string index_query(std::string_view words) {
  std::string blanks(words);
  for (std::string_view wide : {"\u3000", "\u00A0"})
    for (std::size_t at = 0; (at = blanks.find(wide, at)) != std::string::npos;)
      blanks.replace(at, wide.size(), " ");
  std::string out;
  for (std::size_t at = 0; at < blanks.size();) {
    std::size_t end = at;
    while (end < blanks.size() && static_cast<unsigned char>(blanks[end]) > 0x20) ++end;
    const std::string phrase = index_form(std::string_view(blanks).substr(at, end - at));
    at = end + 1;
    if (phrase.empty()) continue;
    if (!out.empty()) out += ' ';
    ((out += '"') += phrase) += '"';
    if (without_blanks(std::string_view(phrase).substr(phrase.rfind(' ') + 1))) out += " *";
  }
  return out;
}

std::size_t letter_count(std::string_view word) {
  if (is_ascii(word)) return word.size();
  std::size_t n = 0;
  for (std::size_t at = 0; at < word.size();) {
    const CodePoint c = code_point_at(word, at);
    at += c.length;
    n += !is_tie(c.value) && !is_mark(c.value);
  }
  return n;
}

bool has_letter(std::string_view word) {
  for (std::size_t at = 0; at < word.size();) {
    const CodePoint c = code_point_at(word, at);
    at += c.length;
    if (c.value < 0x80) {
      if ((c.value >= 'a' && c.value <= 'z') || (c.value >= 'A' && c.value <= 'Z')) return true;
      continue;
    }
    const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(c.value));
    if (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) return true;
  }
  return false;
}

bool without_blanks(std::string_view word) {
  if (word.empty() || static_cast<unsigned char>(word[0]) < 0x80) return false;
  const char32_t c = code_point_at(word, 0).value;
  return is_east_asian(c) || is_south_east_asian(c);
}

}  // namespace shoal
