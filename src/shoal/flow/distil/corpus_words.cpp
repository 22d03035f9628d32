#include <algorithm>

#include "shoal/flow/distil/corpus_words_impl.h"

namespace shoal {
namespace {

constexpr Index kLongestWord = 48;  // letters

}  // namespace

void WordCounts::add(const Texts& pieces) {
  for (Index i = 0; i < pieces.size(); ++i) {
    const std::string_view piece = pieces[i];
    // A piece has at least as many bytes as letters.
    if (piece.size() > kLongestWord && letters_in(tokens_.plain(piece)) > kLongestWord &&
        !tokens_.find(piece))
      continue;
    ++times_[std::string(piece)];
    if (times_.size() <= most_) continue;
    forgotten_ = true;
    for (std::int64_t least = 1; times_.size() > most_ / 4 * 3; least *= 2)
      std::erase_if(times_, [&](const auto& word) { return word.second <= least; });
  }
}

std::vector<CorpusWord> WordCounts::words(Index min_count) && {
  std::vector<CorpusWord> out;
  for (const auto& [piece, n] : times_)
    if (n >= static_cast<std::int64_t>(min_count)) out.push_back({piece, n});
  times_.clear();
  std::ranges::sort(out, [](const CorpusWord& a, const CorpusWord& b) {
    return a.times != b.times ? a.times > b.times : a.piece < b.piece;
  });
  return out;
}

}  // namespace shoal
