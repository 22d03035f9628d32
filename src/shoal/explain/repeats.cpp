#include "shoal/explain/repeats.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace shoal {
namespace {

constexpr double kMostly = 0.5;  // a pair in more than this share of a word's texts stands for the word

/// The words of a term.
std::vector<std::string_view> words_of(std::string_view term) {
  std::vector<std::string_view> out;
  for (std::size_t at = 0; at <= term.size();) {
    const std::size_t end = std::min(term.find(' ', at), term.size());
    out.push_back(term.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

bool holds(const std::vector<std::string_view>& words, std::string_view word) {
  return std::any_of(words.begin(), words.end(), [&](std::string_view w) { return same_stem(w, word); });
}

bool is_part(std::string_view shorter, std::string_view longer) {
  const auto few = words_of(shorter), many = words_of(longer);
  return !std::ranges::search(many, few).empty();
}

/// The best longer term that stands in most of the texts of this one.
const RankedTerm* longer_for(const RankedTerm& term, const std::vector<RankedTerm>& terms) {
  for (const RankedTerm& longer : terms)
    if (static_cast<double>(longer.texts) > kMostly * static_cast<double>(term.texts) &&
        longer.words.size() > term.words.size() && is_part(term.words, longer.words))
      return &longer;
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
    for (const RankedTerm* longer = longer_for(term, terms); longer && !touches(*longer, said);
         longer = longer_for(*longer, terms))
      chosen = longer;
    if (touches(*chosen, said)) continue;
    for (std::string_view word : words_of(chosen->words)) said.push_back(word);
    out.push_back({chosen->words, term.score, chosen->texts});
  }
  return out;
}

std::vector<RankedTerm> without_parts(const std::vector<RankedTerm>& terms, Index n) {
  std::vector<RankedTerm> out;
  for (const RankedTerm& term : terms) {
    if (out.size() == n) break;
    const RankedTerm* chosen = &term;
    while (const RankedTerm* longer = longer_for(*chosen, terms)) chosen = longer;
    const auto overlaps = [&](const RankedTerm& kept) {
      return is_part(kept.words, chosen->words) || is_part(chosen->words, kept.words);
    };
    if (std::ranges::none_of(out, overlaps)) out.push_back({chosen->words, term.score, chosen->texts});
  }
  return out;
}

}  // namespace shoal
