#include "shoal/explain/repeats.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace shoal {
namespace {

constexpr double kMostly = 0.5;  // a pair in more than this share of a word's texts stands for the word

/// The one or two words of a term.
std::vector<std::string_view> words_of(std::string_view term) {
  const std::size_t blank = term.find(' ');
  if (blank == std::string_view::npos) return {term};
  return {term.substr(0, blank), term.substr(blank + 1)};
}

bool holds(const std::vector<std::string_view>& words, std::string_view word) {
  return std::any_of(words.begin(), words.end(), [&](std::string_view w) { return same_stem(w, word); });
}

/// The best pair that stands in most of the texts of a single word.
const RankedTerm* pair_for(const RankedTerm& single, const std::vector<RankedTerm>& terms) {
  for (const RankedTerm& term : terms) {
    const auto words = words_of(term.words);
    if (words.size() == 2 && (words[0] == single.words || words[1] == single.words) &&
        static_cast<double>(term.texts) > kMostly * static_cast<double>(single.texts))
      return &term;
  }
  return nullptr;
}

/// True if a word of the term has been said.
bool touches(const RankedTerm& term, const std::vector<std::string_view>& said) {
  const auto words = words_of(term.words);
  return std::any_of(words.begin(), words.end(), [&](std::string_view w) { return holds(said, w); });
}

}  // namespace

bool same_stem(std::string_view a, std::string_view b) {
  if (a.size() > b.size()) std::swap(a, b);
  const auto shared = static_cast<Index>(std::mismatch(a.begin(), a.end(), b.begin()).first - a.begin());
  if (shared == b.size()) return true;
  if (shared >= 6 && a.size() - shared <= 1) return true;
  static constexpr auto kEndings =
      std::to_array<std::string_view>({"", "d", "e", "ed", "er", "ers", "es", "ied", "ies", "ing", "ings",
                                       "ion", "ions", "ment", "ments", "r", "rs", "s", "y"});
  const auto is_ending = [](std::string_view rest) {
    return std::find(kEndings.begin(), kEndings.end(), rest) != kEndings.end();
  };
  return shared >= 4 && is_ending(a.substr(shared)) && is_ending(b.substr(shared));
}

std::vector<RankedTerm> without_repeats(const std::vector<RankedTerm>& terms, Index n) {
  std::vector<RankedTerm> out;
  std::vector<std::string_view> said;
  for (const RankedTerm& term : terms) {
    if (out.size() == n) break;
    const RankedTerm* chosen = &term;
    if (words_of(term.words).size() == 1) {
      const RankedTerm* pair = pair_for(term, terms);
      if (pair && !touches(*pair, said)) chosen = pair;
    }
    if (touches(*chosen, said)) continue;
    for (std::string_view word : words_of(chosen->words)) said.push_back(word);
    out.push_back({chosen->words, term.score, chosen->texts});
  }
  return out;
}

}  // namespace shoal
