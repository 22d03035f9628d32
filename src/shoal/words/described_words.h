#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "shoal/core/fields.h"
#include "shoal/core/run.h"
#include "shoal/core/texts.h"
#include "shoal/words/descriptions.h"

namespace shoal {

/// Where a description has the word that it is of.
enum class HeadPlace : std::uint8_t {
  before,  ///< it is put before the text: "word: description"
  inside,  ///< it stands in the text: a sentence with the word
};
constexpr auto names_of(HeadPlace) { return std::array{"before", "inside"}; }

/// What has a vector of its own.
enum class Apart : std::uint8_t {
  words,   ///< each word
  senses,  ///< each sense of a word too: its descriptions are the sense's
};
constexpr auto names_of(Apart) { return std::array{"words", "senses"}; }

struct VocabularyOptions {
  Index max_words = 0;  ///< 0: all
  Index min_count = 0;  ///< 0: only words that have descriptions
  HeadPlace head = HeadPlace::before;
  Apart apart = Apart::words;
  std::string language;  ///< of the stop words; empty: found
};
template <class V>
void fields(VocabularyOptions& o, V&& visit) {
  visit("max_words", o.max_words,
        "words of the vocabulary: those of --keep, then those that stand in the most descriptions. 0: all",
        at_least(0));
  visit("min_count", o.min_count,
        "also words that have no description but stand in at least this many. 0: none", at_least(0));
  visit(
      "head", o.head,
      "where a description has its word: before it, as \"word: description\", or inside, as a sentence that "
      "uses it");
  visit("apart", o.apart, "what gets a vector of its own: words, or senses of words too");
  visit("language", o.language,
        "code of the language whose stop words are dropped, as en. Default: found; none: no stop words");
}

/// A stretch of a description's text: bytes [begin, end).
struct WordStretch {
  static constexpr std::uint32_t kStop = ~std::uint32_t{0};       ///< a stop word
  static constexpr std::uint32_t kOther = ~std::uint32_t{0} - 1;  ///< a word that is not in the vocabulary

  std::uint32_t word = kOther;  ///< its id
  std::uint32_t begin = 0, end = 0;
};

/// Descriptions as the model will read them, and what stands where.
struct DescribedWords {
  Texts words;                       ///< the vocabulary, the most frequent first
  Texts texts;                       ///< D of them
  std::vector<std::uint32_t> heads;  ///< of each: the id of its word
  /// Of description d the stretches [starts[d], starts[d + 1]) in the order of the text; those of the head
  /// among them.
  std::vector<WordStretch> stretches;
  std::vector<std::uint64_t> starts{0};
  std::string language;  ///< whose stop words were dropped; "none"
  /// Ways of writing words of the vocabulary that are no words of it ("cards"), sorted by word, then form:
  /// those that stand in the descriptions, and what add_forms adds. No stop words.
  Texts forms;
  std::vector<std::uint32_t> form_words;  ///< of each: the id of its word

  std::span<const WordStretch> of(Index d) const {
    return std::span(stretches).subspan(starts[d], starts[d + 1] - starts[d]);
  }
};

/// What was left out while words were chosen.
struct VocabularyReport {
  Counted rare;            ///< descriptions of words that are not in the vocabulary
  Counted word_missing;    ///< HeadPlace::inside: the word does not stand in its description
  Index kept_missing = 0;  ///< words to be kept that have no description
  std::string first_missing;
};

/// The lemmas that a word may be a form of, the best first. Not set: a word is its own lemma.
using BaseForms = std::function<std::vector<std::string>(std::string_view word)>;

/// Chooses the vocabulary and finds its words in the descriptions. A word of a description counts as the
/// first of its base forms that is in the vocabulary. keep: words that are in it if they have a description.
/// Error(argument) for a language without stop words; Error(data) if nothing is left.
DescribedWords describe_words(const Descriptions& descriptions, const BaseForms& base_forms,
                              const std::vector<std::string>& keep, const VocabularyOptions& options,
                              VocabularyReport& report, const Run& run);

/// The inflected forms of a lemma.
using InflectedForms = std::function<std::vector<std::string>(std::string_view lemma)>;

/// Adds to `words.forms` the inflected forms of each word: those whose first base form in the vocabulary is
/// that word, as they would count in a description.
void add_forms(DescribedWords& words, const BaseForms& base_forms, const InflectedForms& inflected_forms);

}  // namespace shoal
