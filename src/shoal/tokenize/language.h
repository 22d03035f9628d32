#pragma once

#include <string>
#include <vector>

#include "shoal/core/run.h"
#include "shoal/core/texts.h"

namespace shoal {

/// The language of a text.
struct Language {
  std::string code;       ///< ISO 639-1 ("no" for Bokmål, "ku" for Sorani); empty: unknown
  double confidence = 0;  ///< 0 to 1: how probable it is that it is this one and none of the others
};

/// How many of some texts are in a language.
struct LanguageCount {
  std::string code;  ///< as in Language; never empty
  double texts = 0;  ///< sums of probabilities, so not always whole
};

/// All codes that `detect_languages` can give, sorted.
const std::vector<std::string>& known_languages();

/// The rows of `n` that `sample_languages` looks at: at most 400, chosen by their numbers alone.
std::vector<Index> sampled_rows(Index n);

/// The languages of a collection, most frequent first, ties by code, from its `sampled_rows`. Empty for no
/// text with letters.
std::vector<LanguageCount> sample_languages(const Texts& texts, const Run& run);

/// The language of each text, in order: by its script where that decides (Thai, Georgian; kana: Japanese),
/// else by its function words, the letters that few languages have, and trigrams (whatlang). `expected` says
/// what languages the collection has: they decide where a short text does not; empty: nothing is known of it.
/// Texts without letters, numbers say, are unknown. Any bytes are allowed. 2 to 200 microseconds a text.
std::vector<Language> detect_languages(const Texts& texts, const std::vector<LanguageCount>& expected,
                                       const Run& run);

/// The same, with the languages of the texts themselves as what is expected.
std::vector<Language> detect_languages(const Texts& texts, const Run& run);

/// The languages of texts [first, last), on the caller's thread, without trigrams, in 2 microseconds a text:
/// their places in known_languages(), its size where none is more probable than all others together. Where 99
/// in 100 texts are expected to be English, one of ASCII alone is.
std::vector<Index> quick_languages(const Texts& texts, Index first, Index last,
                                   const std::vector<LanguageCount>& expected);

/// How many texts are in each language, most frequent first, ties by code; the unknown are left out.
std::vector<LanguageCount> count_languages(const std::vector<Language>& languages);

}  // namespace shoal
