#include "shoal/words/descriptions.h"

#include <utility>

#include "shoal/core/utf8.h"
#include "shoal/tokenize/words.h"

namespace shoal {
namespace {

/// One line: a space for each run of blanks and control characters, none at the ends.
std::string one_line(std::string_view text, bool& changed) {
  std::string out;
  bool blank = false;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= ' ' || byte == 0x7F) {
      blank = true;
      continue;
    }
    if (blank && !out.empty()) out += ' ';
    blank = false;
    out += c;
  }
  changed = out != text;
  return out;
}

}  // namespace

std::string term_key(std::string_view word) {
  std::string out;
  visit_words(word, [&](const Word& part) {
    if (!out.empty()) out += ' ';
    out += part.text;
  });
  return out;
}

void DescriptionCleaner::add(std::string_view word, std::string_view description, std::string_view sense,
                             const std::string& where) {
  ++report_.read;
  Index replaced = 0;
  std::string name = repair_utf8(word, &replaced), text = repair_utf8(description, &replaced);
  if (replaced > 0) report_.repaired.add(where);
  if (std::string plain = said_text(text); plain != text) {
    report_.markup.add(where);
    text = std::move(plain);
  }
  bool name_changed = false, text_changed = false;
  name = one_line(name, name_changed);
  text = one_line(text, text_changed);
  if (name_changed || text_changed) report_.blanks.add(where);

  const std::string key = term_key(name);
  if (key.empty() || !has_letter(key)) return report_.no_word.add(where);
  bool has_word = false;
  visit_words(text, [&](const Word&) { has_word = true; });
  if (!has_word) return report_.no_description.add(where);
  if (!seen_.insert(key + "\t" + text).second) return report_.duplicates.add(where);
  const bool new_way = ways_.insert(name).second;
  if (!keys_.insert(key).second && new_way) report_.merged.add(where + ": " + name);

  out_.words.add(name);
  out_.keys.add(key);
  out_.texts.add(text);
  out_.senses.add(sense);
  ++report_.kept;
}

}  // namespace shoal
