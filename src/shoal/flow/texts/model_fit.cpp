#include "shoal/flow/texts/model_fit.h"

#include <algorithm>
#include <map>

#include "shoal/core/error.h"
#include "shoal/core/rounded.h"
#include "shoal/core/utf8.h"
#include "shoal/tokenize/language.h"
#include "shoal/tokenize/tokenizer.h"

namespace shoal {
namespace {

constexpr Index kSample = 1000;
constexpr Index kMostBytes = 2000;  // of a text
constexpr double kShort = 0.72, kShortIdeographs = 1.05, kUnknown = 0.05;

/// English as people write it to each other; what a model of any use for it has whole words for.
constexpr const char* kEnglish =
    "The package arrived two days late and the box was open, but the people at the shop were very kind and "
    "sent me another one the same week. I would like to know how long it takes to open an account, which "
    "papers I have to bring, and whether I can use my card in other countries without paying more.";

bool ideographs(const std::string& code) { return code == "zh" || code == "ja" || code == "ko"; }

/// Letters and marks, near enough: signs of ASCII, Latin-1 and the blocks of punctuation are none.
Index letters_in(std::string_view text) {
  const std::string valid = repair_utf8(text);
  Index out = 0;
  for (std::size_t at = 0; at < valid.size();) {
    const CodePoint c = code_point_at(valid, at);
    at += c.length;
    const char32_t v = c.value;
    out += v < 0x80 ? (v | 0x20) >= 'a' && (v | 0x20) <= 'z'
                    : v >= 0xC0 && !(v >= 0x2000 && v < 0x2070) && !(v >= 0x3000 && v < 0x3040) && v < 0xFF00;
  }
  return out;
}

struct Count {
  double texts = 0, letters = 0, tokens = 0, unknown = 0;
  double per_token() const { return tokens > 0 ? letters / tokens : 0; }
};

std::string percent(double share) { return rounded(100 * share, "%.0f%%"); }
std::string one_digit(double x) { return rounded(x, "%.1f"); }

}  // namespace

std::vector<LanguageFit> model_fit(const Encoder& encoder, const Texts& texts, const Run& run) {
  const Tokenizer* const knows = encoder.tokenizer();
  if (knows == nullptr) return {};  // words have no vocabulary that was made for a language
  const Tokenizer& tokenizer = *knows;
  Texts some;
  const Index n = std::min(kSample, texts.size());
  for (Index i = 0; i < n; ++i) some.add(texts[i * texts.size() / n].substr(0, kMostBytes));
  std::map<std::string, Count> of;
  const auto languages = detect_languages(some, run.quiet());
  const auto count = [&](Count& c, const Texts& from, Index i) {
    const Tokens tokens = tokenizer.encode_plain(from, i, 1);
    c.texts += 1;
    c.letters += static_cast<double>(letters_in(from[i]));
    c.tokens += static_cast<double>(tokens.ids.size());
    c.unknown += static_cast<double>(tokenizer.unknown(tokens.ids));
  };
  for (Index i = 0; i < n; ++i)
    if (!languages[i].code.empty()) count(of[languages[i].code], some, i);
  Texts english;
  english.add(kEnglish);
  Count reference;
  count(reference, english, 0);
  double best = reference.per_token();
  for (const auto& [code, c] : of)
    if (!ideographs(code) && c.texts >= 0.05 * static_cast<double>(n)) best = std::max(best, c.per_token());

  std::vector<LanguageFit> out;
  for (const auto& [code, c] : of) {
    if (c.texts < 0.05 * static_cast<double>(n)) continue;
    LanguageFit fit{.code = code,
                    .share = c.texts / static_cast<double>(n),
                    .letters = c.per_token(),
                    .reference = best,
                    .unknown = c.tokens > 0 ? c.unknown / c.tokens : 0};
    fit.known =
        fit.unknown <= kUnknown && fit.letters >= (ideographs(code) ? kShortIdeographs : kShort * best);
    out.push_back(fit);
  }
  std::ranges::stable_sort(out, std::greater{}, &LanguageFit::share);
  return out;
}

std::vector<std::string> poor_fit(const std::vector<LanguageFit>& fit, const std::string& model) {
  std::vector<std::string> out;
  for (const LanguageFit& f : fit) {
    if (f.known || f.share < 0.1) continue;
    std::string line = percent(f.share) + " of the texts are in language '" + f.code + "', which the model " +
                       model + " was not made for: ";
    if (f.unknown > kUnknown)
      line += percent(f.unknown) + " of what its tokenizer sees there is unknown to it";
    else
      line += "its tokenizer cuts it into pieces of " + one_digit(f.letters) + " letters (" +
              one_digit(f.reference) + " where it knows the language)";
    out.push_back(std::move(line));
  }
  return out;
}

}  // namespace shoal
