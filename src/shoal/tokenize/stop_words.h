#pragma once

#include <bitset>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace shoal {

/// Languages by their places in known_languages().
using LanguageSet = std::bitset<128>;

/// The languages in which a word says nothing about a topic: function words, of a list of shoal's own for
/// English and Japanese endings, of NLTK's and stopwords-iso's lists for others. `word` as `visit_words`
/// gives it.
LanguageSet stop_languages(std::string_view word);

/// Calls `visit` for each word that says nothing in some language, with these languages.
void visit_stop_words(const std::function<void(std::string_view word, const LanguageSet& languages)>& visit);

/// The codes of the languages that have a list, sorted: more than 60.
std::vector<std::string> languages_with_stop_words();

}  // namespace shoal
