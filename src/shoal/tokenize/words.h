#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace shoal {

/// A word as `visit_words` finds it.
struct Word {
  std::string_view text;  ///< valid during the visit
  bool follows = false;   ///< nothing but blanks stands between it and the word before
};

/// Calls `visit` for each word of a UTF-8 text in order: runs of letters, marks and digits (utf8proc
/// categories), with inner apostrophes and hyphens and the ends of c++ and c# kept, a final 's dropped;
/// case-folded; NFKC. For explaining clusters, not for models. Scripts without spaces (Han, kana) give
/// overlapping pairs of characters. Bytes that are not UTF-8 separate words.
void visit_words(std::string_view text, const std::function<void(const Word&)>& visit);

/// True for the 225 English function words that say nothing about a topic. `word` as `visit_words` gives it.
bool is_stop_word(std::string_view word);

/// The singular that an English plural most likely has ("libraries": "library"); other words unchanged.
/// ASCII only; a rule of endings, not a dictionary.
std::string_view singular(std::string_view word, std::string& buffer);

}  // namespace shoal
