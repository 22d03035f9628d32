#include "shoal/tokenize/stop_words.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>

#include "shoal/tokenize/language.h"

namespace shoal {
namespace {

bool is_stop_word(const char* word, const char* code) {
  const auto& known = known_languages();
  const auto at = std::ranges::find(known, code) - known.begin();
  return stop_languages(word)[static_cast<std::size_t>(at)];
}

TEST(StopWords, OfMoreThanFiftyLanguages) {
  EXPECT_GE(languages_with_stop_words().size(), 60u);
  for (const char* code : {"en", "ru", "de", "zh", "ja", "th", "ar", "hi", "tr", "uk", "kk", "ko"})
    EXPECT_TRUE(std::ranges::binary_search(languages_with_stop_words(), std::string(code))) << code;
}

TEST(StopWords, OfTheirLanguageAlone) {
  const std::pair<const char*, const char*> cases[] = {
      {"the", "en"}, {"don't", "en"}, {"yourself", "en"}, {"было", "ru"}, {"тот", "ru"}, {"это", "ru"},
      {"die", "de"}, {"está", "es"},  {"sont", "fr"},     {"że", "pl"},   {"çok", "tr"}, {"не", "uk"},
      {"що", "uk"},  {"的", "zh"},    {"が", "ja"},       {"และ", "th"},  {"في", "ar"},  {"और", "hi"},
      {"ещё", "ru"}, {"еще", "ru"},   {"của", "vi"},      {"τον", "el"},  {"של", "he"},  {"برای", "fa"},
      {"และ", "th"}, {"और", "hi"}};
  for (const auto& [word, code] : cases) EXPECT_TRUE(is_stop_word(word, code)) << word;
  EXPECT_FALSE(is_stop_word("die", "en"));
  for (const char* word : {"", "library", "aa", "zebra", "bank"})
    EXPECT_FALSE(is_stop_word(word, "en")) << word;
  for (const char* word : {"банк", "кошка", "ракета"}) EXPECT_FALSE(is_stop_word(word, "ru")) << word;
}

}  // namespace
}  // namespace shoal
