#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace shoal {

/// A word as `visit_words` finds it.
struct Word {
  std::string_view text;  ///< valid during the visit
  bool follows = false;   ///< nothing but blanks stands between it and the word before; in Thai, say, nothing
};

/// How words are found.
struct WordRules {
  bool markup = true;         ///< tags, entities, addresses and code are text like any other
  std::string_view language;  ///< ISO 639-1; Turkish I is ı, French l'eau is eau; empty: unknown
};

/// Calls `visit` for each word of a text in order: runs of letters, marks and digits (utf8proc categories),
/// with inner apostrophes and hyphens, the ends of c++ and c#, the point of .net and node.js; a final 's
/// dropped; lower case; NFKC. Scripts without blanks (Han, kana, Thai, Lao, Khmer, Burmese) are parted by
/// ICU4X's dictionaries; zero-width spaces part words, other invisible characters do not, and only joiners
/// remain. For explaining clusters and for search, not for models. Bytes that are not UTF-8 separate words.
void visit_words(std::string_view text, const WordRules& rules,
                 const std::function<void(const Word&)>& visit);
void visit_words(std::string_view text, const std::function<void(const Word&)>& visit);

/// A word and where it stands: bytes [begin, end) of the text.
struct PlacedWord {
  std::string_view text;  ///< as Word's
  std::size_t begin = 0, end = 0;
};

/// The same words with their places, for aligning them with what else is known of the text, such as the
/// tokens of a model. `text` must be valid UTF-8; markup is text like any other. A place is exact but where
/// the normal form of letters is not their own, one by one: then it is that of all that stands between two
/// blanks.
void visit_placed_words(std::string_view text, std::string_view language,
                        const std::function<void(const PlacedWord&)>& visit);

/// The text without what is not said in it: tags, entities, addresses, code. The text itself if there is
/// none.
std::string said_text(std::string_view text);

/// NFKC in lower case without invisible characters, one space for each run of blanks and none at the ends: a
/// word or term as people write it in a list.
std::string lower_form(std::string_view text);

/// A word as search compares it: without accents (é: e, ё: е; й and ї stay), the marks of Arabic and Hebrew,
/// tatweel and joiners; one alef, one yeh; ß is ss; İ, I, ı are i; kana keep their marks, and so do the
/// scripts of India. `word` as `visit_words` gives it.
std::string search_form(std::string_view word);

/// A word as naming compares it: only what people write now and then is left out: the points of ё, the vowel
/// marks of Arabic and Hebrew, tatweel, joiners. Empty if it is the word itself.
std::string plain_form(std::string_view word);

/// A text as the index of words keeps it: the search forms of its words, parted by blanks, and at hyphens,
/// apostrophes and points too (covid-19: covid 19).
std::string index_form(std::string_view text);

/// What FTS5 is asked for the words that a person types: all of them must occur; what stands between two
/// blanks, as a phrase. In scripts without blanks a longer word that begins so is right too. Empty if there
/// is no word.
std::string index_query(std::string_view words);

/// Letters, digits and signs of a word, without marks that stand on another.
std::size_t letter_count(std::string_view word);

/// False for words of digits alone (of any script) and such signs.
bool has_letter(std::string_view word);

/// True for a word of a script that is written without blanks: Han, kana, Thai, Lao, Khmer, Burmese.
bool without_blanks(std::string_view word);

}  // namespace shoal
