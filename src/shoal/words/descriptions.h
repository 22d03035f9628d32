#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "shoal/core/matrix.h"
#include "shoal/core/texts.h"

namespace shoal {

/// How many, and where the first of them stands: "words.csv, row 12 (cat)".
struct Counted {
  Index count = 0;
  std::string first;

  void add(const std::string& where) {
    if (count++ == 0) first = where;
  }
};

/// What became of descriptions on their way from a file to what is prepared: nothing is lost silently.
struct DescriptionReport {
  Index read = 0;  ///< descriptions of any word
  Index kept = 0;
  // Changed.
  Counted repaired;  ///< bytes that are no UTF-8 became U+FFFD
  Counted markup;    ///< tags, entities and addresses were taken out
  Counted blanks;    ///< line ends, control characters and runs of blanks became one space
  Counted merged;    ///< words written in another way before ("Cat", "cat"): one word
  // Left out.
  Counted no_word;         ///< the word is empty or has no letter
  Counted no_description;  ///< the description has no word
  Counted duplicates;      ///< the word has the same description already
};

/// Descriptions of words, several a word, cleaned.
struct Descriptions {
  Texts words;  ///< of each description its word, as it was written first
  Texts keys;   ///< the words in `words` as comparison sees them: their words in lower case, parted by spaces
  Texts texts;  ///< what it says
  Texts senses;  ///< which sense of the word it is of, as "n.1"; empty: not known

  Index size() const { return texts.size(); }
};

/// The words of a word or term, in lower case, parted by single spaces: "Hot-Dog!": "hot-dog". Empty if it
/// has no letter or digit.
std::string term_key(std::string_view word);

/// Cleans and consolidates descriptions, one after another.
class DescriptionCleaner {
 public:
  /// `where` names the place in messages; `sense` as in Descriptions.
  void add(std::string_view word, std::string_view description, std::string_view sense,
           const std::string& where);
  const DescriptionReport& report() const { return report_; }
  Descriptions take() { return std::move(out_); }

 private:
  Descriptions out_;
  DescriptionReport report_;
  std::unordered_set<std::string> seen_;         // key, tab, description
  std::unordered_set<std::string> keys_, ways_;  // keys, and the ways in which words are written
};

}  // namespace shoal
