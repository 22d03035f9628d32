#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "shoal/core/texts.h"
#include "shoal/encode/static_tokenizer.h"

namespace shoal {

/// A word of the corpus: a piece of the pre-tokenizer, and how often it stands there.
struct CorpusWord {
  std::string piece;
  std::int64_t times = 0;
};

/// Counts the pieces of a corpus. Memory does not grow with it: pieces of more than 48 letters that are no
/// tokens are not counted, and when there are more than `most` different ones, those seen least often are
/// forgotten, until three quarters of `most` are left at most. What is forgotten begins anew at 0.
class WordCounts {
 public:
  /// Keeps a reference to `tokens`.
  WordCounts(const StaticTokenizer& tokens, Index most) : tokens_(tokens), most_(most) {}

  /// Pieces as Tokenizer::split gives them. The same calls in the same order give the same counts.
  void add(const Texts& pieces);
  bool forgotten() const { return forgotten_; }  ///< whether any was
  Index size() const { return times_.size(); }   ///< different pieces that are counted now
  /// Those that were seen min_count times: frequent first, then by their bytes.
  std::vector<CorpusWord> words(Index min_count) &&;

 private:
  const StaticTokenizer& tokens_;
  Index most_;
  bool forgotten_ = false;
  std::unordered_map<std::string, std::int64_t> times_;
};

}  // namespace shoal
