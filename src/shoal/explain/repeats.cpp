#include "shoal/explain/repeats.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace shoal {
namespace {

constexpr double kMostly = 0.5;  // a pair in this share of a word's texts stands for the word

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
        static_cast<double>(term.texts) >= kMostly * static_cast<double>(single.texts))
      return &term;
  }
  return nullptr;
}

/// True if every word of the term has been said.
bool is_said(const RankedTerm& term, const std::vector<std::string_view>& said) {
  const auto words = words_of(term.words);
  return std::all_of(words.begin(), words.end(), [&](std::string_view w) { return holds(said, w); });
}

}  // namespace

bool same_stem(std::string_view a, std::string_view b) {
  if (a == b) return true;
  if (a.size() > b.size()) std::swap(a, b);
  const auto [end_a, end_b] = std::mismatch(a.begin(), a.end(), b.begin());
  const std::size_t shared = static_cast<std::size_t>(end_a - a.begin());
  if (shared < 4 || a.size() - shared > 1) return false;  // at most a final e or y goes
  static constexpr auto kEndings =
      std::to_array<std::string_view>({"s", "es", "ed", "er", "ers", "ing", "ings", "ies", "ied", "d", "r",
                                       "rs", "ion", "ions", "ment", "ments", "able"});
  const std::string_view rest = b.substr(shared);
  return std::find(kEndings.begin(), kEndings.end(), rest) != kEndings.end();
}

std::vector<RankedTerm> without_repeats(const std::vector<RankedTerm>& terms, Index n) {
  std::vector<RankedTerm> out;
  std::vector<std::string_view> said;
  for (const RankedTerm& term : terms) {
    if (out.size() == n) break;
    const bool single = words_of(term.words).size() == 1;
    const RankedTerm* pair = single ? pair_for(term, terms) : nullptr;
    RankedTerm chosen = pair ? *pair : term;
    const auto words = words_of(pair ? std::string_view(pair->words) : std::string_view(term.words));
    if (is_said(chosen, said) ||
        (words.size() == 2 && !pair && (holds(said, words[0]) || holds(said, words[1]))))
      continue;
    chosen.score = term.score;
    said.insert(said.end(), words.begin(), words.end());
    out.push_back(std::move(chosen));
  }
  return out;
}

}  // namespace shoal
