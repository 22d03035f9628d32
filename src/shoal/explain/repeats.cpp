#include "shoal/explain/repeats.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "shoal/core/utf8.h"
#include "shoal/tokenize/words.h"

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

namespace {

/// Which rule of endings holds for a word.
enum class Writing : std::uint8_t { ascii, latin, arabic, hebrew, korean, unparted, other };

Writing writing_of(const std::u32string& word) {
  if (std::ranges::all_of(word, [](char32_t c) { return c < 0x80; })) return Writing::ascii;
  const char32_t c = *std::ranges::find_if(word, [](char32_t x) { return x >= 0x80; });
  if (c < 0x370 || (c >= 0x1E00 && c < 0x1F00)) return Writing::latin;
  if (c >= 0x590 && c < 0x600) return Writing::hebrew;
  if (c >= 0x600 && c < 0x780) return Writing::arabic;
  if (c >= 0xAC00 && c < 0xD7B0) return Writing::korean;
  std::string utf8;
  append_utf8(utf8, c);
  return without_blanks(utf8) ? Writing::unparted : Writing::other;
}

std::u32string letters_of(std::string_view word) {
  std::u32string out;
  for (std::size_t at = 0; at < word.size();) {
    const CodePoint c = code_point_at(word, at);
    out += c.value;
    at += c.length;
  }
  return out;
}

/// An Arabic word without its article, and what is written together with it.
std::u32string_view without_article(std::u32string_view word) {
  static constexpr std::u32string_view kBefore = U"وبفكل";
  if (word.size() > 4 && kBefore.find(word[0]) != std::u32string_view::npos &&
      word.substr(1).starts_with(U"ال"))
    return word.substr(3);
  if (word.size() > 4 && word.starts_with(U"لل")) return word.substr(2);
  return word.size() > 3 && word.starts_with(U"ال") ? word.substr(2) : word;
}

/// True if one is the other behind one letter that Hebrew writes together with it: the, and, in, to.
bool behind_a_letter(std::u32string_view a, std::u32string_view b) {
  return a.size() >= 3 && b.size() == a.size() + 1 && b.ends_with(a) &&
         std::u32string_view(U"הובלמשכ").find(b[0]) != std::u32string_view::npos;
}

/// Signs in a row that two words of Han or kana have in common; words that share two say the same.
bool share_two(std::u32string_view a, std::u32string_view b) {
  for (Index i = 0; i + 2 <= a.size(); ++i)
    if (b.find(a.substr(i, 2)) != std::u32string_view::npos) return true;
  return false;
}

bool is_ending(std::u32string_view rest) {
  static constexpr auto kEndings = std::to_array<std::u32string_view>(
      {U"", U"d", U"e", U"ed", U"er", U"ers", U"es", U"ied", U"ies", U"ing", U"ings", U"ion", U"ions",
       U"ment", U"ments", U"r", U"rs", U"s", U"y"});
  return std::ranges::find(kEndings, rest) != kEndings.end();
}

/// An ending of a word with a stem of five letters, in languages that decline.
bool is_latin_ending(std::u32string_view rest) {
  static constexpr auto kEndings = std::to_array<std::u32string_view>(
      {U"",   U"a",   U"e",   U"i",  U"o",   U"u",   U"y",   U"n",  U"t",  U"s",  U"as", U"os", U"es",  U"en",
       U"em", U"er",  U"in",  U"om", U"am",  U"ów",  U"ą",   U"ę",  U"ie", U"ia", U"io", U"ii", U"ej",  U"ym",
       U"im", U"ami", U"ach", U"ą",  U"é",   U"ée",  U"ées", U"ů",  U"ů",  U"í",  U"á",  U"ým", U"ých", U"ı",
       U"ü",  U"ın",  U"ün",  U"un", U"lar", U"ler", U"nı",  U"ni", U"na", U"ne", U"sı", U"si"});
  return std::ranges::find(kEndings, rest) != kEndings.end();
}

}  // namespace

bool same_stem(std::string_view given_a, std::string_view given_b) {
  const auto first = [](std::string_view word) {
    return word.empty() ? 0 : static_cast<unsigned char>(word[0]);
  };
  if (first(given_a) < 0x80 && first(given_b) < 0x80 && first(given_a) != first(given_b)) return false;
  const std::u32string letters_a = letters_of(given_a), letters_b = letters_of(given_b);
  std::u32string_view a = letters_a, b = letters_b;
  const Writing writing = std::max(writing_of(letters_a), writing_of(letters_b));
  if (writing == Writing::arabic) a = without_article(a), b = without_article(b);
  if (a.size() > b.size()) std::swap(a, b);
  const auto shared = static_cast<Index>(std::mismatch(a.begin(), a.end(), b.begin()).first - a.begin());
  if (shared == b.size()) return true;
  const Index rest_a = a.size() - shared, rest_b = b.size() - shared;
  switch (writing) {
    case Writing::unparted: {
      if (a.empty()) return false;
      const bool han = a[0] >= 0x3041;
      return (a.size() > 1 && b.find(a) != std::u32string_view::npos) || (han && share_two(a, b));
    }
    case Writing::korean:  // particles stand behind the word
      return shared >= 2 && rest_a <= 2 && rest_b <= 3;
    case Writing::hebrew:
      if (behind_a_letter(a, b)) return true;
      [[fallthrough]];
    case Writing::arabic:
    case Writing::other:  // cases: кошка, кошки, кошкой
      return (shared >= 3 && rest_a <= 2 && rest_b <= 2 && shared > rest_b) ||
             (shared >= 5 && rest_a <= 3 && rest_b <= 3) || (shared >= 6 && rest_a <= 2);
    default:
      break;
  }
  if (shared >= 6 && rest_a <= 1) return true;
  const std::u32string_view end_a = a.substr(shared), end_b = b.substr(shared);
  return (shared >= 4 && is_ending(end_a) && is_ending(end_b)) ||
         (shared >= 5 && is_latin_ending(end_a) && is_latin_ending(end_b));
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
