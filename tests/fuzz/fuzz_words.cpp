#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "shoal/core/utf8.h"
#include "shoal/tokenize/language.h"
#include "shoal/tokenize/stop_words.h"
#include "shoal/tokenize/words.h"

namespace {

void check(bool right) {
  if (!right) std::abort();
}

}  // namespace

/// Any bytes: words are valid UTF-8 and not empty, their forms too, and what the index keeps is what it is
/// asked for.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace shoal;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const std::string_view language : {"", "tr", "fr"}) {
    for (const bool markup : {true, false}) {
      visit_words(text, {.markup = markup, .language = language}, [](const Word& word) {
        check(!word.text.empty() && first_invalid_utf8(word.text) == std::string_view::npos);
        const std::string search = search_form(word.text), plain = plain_form(word.text);
        check(first_invalid_utf8(search) == std::string_view::npos);
        check(first_invalid_utf8(plain) == std::string_view::npos);
        check(letter_count(word.text) <= word.text.size());
        static_cast<void>(has_letter(word.text));
        static_cast<void>(without_blanks(word.text));
        static_cast<void>(stop_languages(word.text));
      });
    }
  }
  const std::string indexed = index_form(text);
  check(indexed.find("  ") == std::string::npos);
  check(index_query(text).empty() == indexed.empty());
  Texts texts;
  texts.add(text);
  const auto found = detect_languages(texts, {});
  check(found.size() == 1 && found[0].confidence >= 0 && found[0].confidence <= 1);
  return 0;
}
