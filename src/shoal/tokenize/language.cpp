#include "shoal/tokenize/language.h"

#include <algorithm>
#include <array>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/core/random.h"
#include "shoal/core/utf8.h"
#include "shoal/tokenize/rust_language.h"

namespace shoal {
namespace {

constexpr Index kSample = 400;  // texts that tell a collection's languages
constexpr float kLeastConfidence = 0.5f;
constexpr Index kGrain = 256;        // texts of a chunk
constexpr Index kMostOfText = 8192;  // bytes; more say no more
constexpr Index kQuickOfText = 768;  // bytes of a quick look

/// At most so many bytes of a text, whole letters, valid UTF-8.
std::string_view beginning(std::string_view text, Index most, std::string& buffer) {
  if (text.size() > most) {
    Index end = most;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    text = text.substr(0, end);
  }
  if (first_invalid_utf8(text) == std::string_view::npos) return text;
  buffer = repair_utf8(text);
  return buffer;
}

using Guesses = std::vector<ShoalLanguageGuess>;

/// The guesses of texts `at(first)` to `at(last - 1)`.
template <class At>
void guess(Index first, Index last, const At& at, const std::vector<float>& prior, bool trigrams,
           ShoalLanguageGuess* out) {
  std::vector<std::string> repaired(last - first);
  std::vector<ShoalLanguageBytes> texts;
  for (Index i = first; i < last; ++i) {
    const std::string_view text =
        beginning(at(i), trigrams ? kMostOfText : kQuickOfText, repaired[i - first]);
    texts.push_back({text.data(), text.size()});
  }
  if (!shoal_language_guess(texts.data(), texts.size(), prior.data(), trigrams, out))
    throw Error(Fault::data, "the languages of texts could not be detected");
}

/// The guesses of texts `at(0)` to `at(n - 1)`.
template <class At>
Guesses guess(Index n, const At& at, const std::vector<float>& prior, const Run& run) {
  Guesses out(n);
  for_chunks(run, n, kGrain, [&](Index, Index first, Index last) {
    guess(first, last, at, prior, true, out.data() + first);
  });
  return out;
}

std::vector<LanguageCount> counts_of(const std::vector<double>& texts) {
  std::vector<LanguageCount> out;
  for (Index l = 0; l < texts.size(); ++l)
    if (texts[l] > 0) out.push_back({known_languages()[l], texts[l]});
  std::ranges::stable_sort(out, [](const auto& a, const auto& b) { return a.texts > b.texts; });
  return out;
}

/// The place of a code among the known ones; their number if it is none.
Index number_of(std::string_view code) {
  const auto& known = known_languages();
  const auto at = std::ranges::lower_bound(known, code);
  return at != known.end() && *at == code ? static_cast<Index>(at - known.begin()) : known.size();
}

std::vector<float> prior_of(const std::vector<LanguageCount>& expected) {
  std::vector<float> prior(known_languages().size());
  for (const LanguageCount& count : expected)
    if (const Index at = number_of(count.code); at < prior.size())
      prior[at] += static_cast<float>(count.texts);
  return prior;
}

}  // namespace

const std::vector<std::string>& known_languages() {
  static const std::vector<std::string> codes = [] {
    std::vector<std::string> out;
    for (Index i = 0;; ++i) {
      const ShoalLanguageBytes code = shoal_language_code(i);
      if (code.size == 0) return out;
      out.emplace_back(code.data, code.size);
    }
  }();
  return codes;
}

std::vector<Index> sampled_rows(Index n) {
  const Index most = std::min(kSample, n);
  const Random random(Seed{1});
  std::vector<Index> out;
  for (Index i = 0; i < most; ++i) {  // one of each stretch, by lot: rows often alternate
    const Index first = i * n / most, last = (i + 1) * n / most;
    out.push_back(first + random.below(i, last - first));
  }
  return out;
}

std::vector<LanguageCount> sample_languages(const Texts& texts, const Run& run) {
  const std::vector<Index> rows = sampled_rows(texts.size());
  const auto chosen = [&](Index i) { return texts[rows[i]]; };
  // Once without any expectation, and once with what came of that.
  std::vector<LanguageCount> expected;
  for (int round = 0; round < 2; ++round) {
    std::vector<double> sums(known_languages().size());
    for (const ShoalLanguageGuess& g : guess(rows.size(), chosen, prior_of(expected), run))
      if (g.language < sums.size()) sums[g.language] += static_cast<double>(g.confidence);
    expected = counts_of(sums);
  }
  return expected;
}

std::vector<Language> detect_languages(const Texts& texts, const std::vector<LanguageCount>& expected,
                                       const Run& run) {
  const auto at = [&](Index i) { return texts[i]; };
  std::vector<Language> out;
  out.reserve(texts.size());
  for (const ShoalLanguageGuess& g : guess(texts.size(), at, prior_of(expected), run)) {
    const bool known = g.language < known_languages().size();
    out.push_back({known ? known_languages()[g.language] : "", static_cast<double>(g.confidence)});
  }
  return out;
}

namespace {

/// Whether a text of ASCII alone is English without a look at it: 99 in 100 texts are.
bool mostly_english(const std::vector<LanguageCount>& expected) {
  double all = 0;
  for (const LanguageCount& l : expected) all += l.texts;
  return !expected.empty() && expected.front().code == "en" && expected.front().texts >= 0.99 * all;
}

bool is_ascii(std::string_view text) {
  unsigned char all = 0;
  for (const char c : text) all |= static_cast<unsigned char>(c);
  return all < 0x80;
}

}  // namespace

std::vector<Index> quick_languages(const Texts& texts, Index first, Index last,
                                   const std::vector<LanguageCount>& expected) {
  std::vector<Index> out(last - first, number_of("en"));
  std::vector<Index> open;  // those that are not English because all are
  const bool english = mostly_english(expected);
  for (Index i = first; i < last; ++i)
    if (!english || !is_ascii(texts[i])) open.push_back(i);
  Guesses guesses(open.size());
  guess(
      0, open.size(), [&](Index i) { return texts[open[i]]; }, prior_of(expected), false, guesses.data());
  for (Index i = 0; i < open.size(); ++i)
    out[open[i] - first] =
        guesses[i].confidence < kLeastConfidence ? known_languages().size() : Index{guesses[i].language};
  return out;
}

std::vector<Language> detect_languages(const Texts& texts, const Run& run) {
  return detect_languages(texts, sample_languages(texts, run), run);
}

std::vector<LanguageCount> count_languages(const std::vector<Language>& languages) {
  std::vector<double> texts(known_languages().size());
  for (const Language& l : languages)
    if (const Index at = number_of(l.code); at < texts.size()) ++texts[at];
  return counts_of(texts);
}

}  // namespace shoal
