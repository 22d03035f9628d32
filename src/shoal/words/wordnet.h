#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "shoal/core/matrix.h"

namespace shoal {

/// The files of one part of speech of WordNet 3.0 or 3.1 (wndb(5WN), morphy(7WN)).
struct WordNetFiles {
  std::string index, data;  ///< index.noun, data.noun
  std::string exceptions;   ///< noun.exc; may be empty
  std::string name;         ///< "noun": in messages
};

/// One sense of a lemma. The views hold as long as the WordNet.
struct WordNetSense {
  std::string_view lemma;       ///< lower case, with spaces between words
  char part = 'n';              ///< n, v, a or r
  Index number = 1;             ///< among the lemma's senses of that part, the most frequent first
  std::string_view definition;  ///< may be empty
  const std::vector<std::string_view>& examples;
};

/// WordNet's lemmas, senses and irregular forms. Copies share.
class WordNet {
 public:
  /// Nouns, verbs, adjectives, adverbs. Error(format) naming file and line of what cannot be read.
  explicit WordNet(std::array<WordNetFiles, 4> files);

  /// Each sense: by part of speech, lemma as index files sort them, and number.
  void visit(const std::function<void(const WordNetSense&)>& take) const;
  Index lemmas() const;
  /// The lemmas that an inflected form may be of: itself if it is one, then those that the lists of
  /// exceptions and the rules of morphy give, nouns first. `word`: lower case. Empty: it is no form of any.
  std::vector<std::string> base_forms(std::string_view word) const;
  /// Inflected forms of a lemma, lower case: those of the lists of exceptions, and regular ones (-s, -es,
  /// -ies, -ed, -ing, -er, -est) of each part of speech that it is of, even where an irregular one is known
  /// (cacti, cactuses). Of a term of several words, plurals of the last. base_forms of each has the lemma,
  /// not always first (leaves). In no order of use; the lemma itself is none. Empty: no lemma.
  std::vector<std::string> inflected_forms(std::string_view lemma) const;

 private:
  struct State;
  std::shared_ptr<const State> state_;
};

}  // namespace shoal
