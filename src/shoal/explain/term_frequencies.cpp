#include "shoal/explain/term_frequencies.h"

#include <algorithm>
#include <map>
#include <utility>

#include "shoal/core/texts.h"
#include "shoal/explain/term_finder_impl.h"
#include "shoal/explain/term_keys_impl.h"

namespace shoal {

std::vector<TermTexts> texts_of_terms(const TermCounts& counts) {
  std::vector<TermTexts> out;
  for (const TermCounts::Shard& shard : counts.shards()) {
    struct Home {
      std::int64_t texts = 0;
      const TermCounts::Term* more = nullptr;  // the form that more texts hold
    };
    std::map<std::uint64_t, Home> homes;
    for (const TermCounts::Term& term : shard.terms) {
      const bool plural = term.n_words == 1 && term.first != term.key;
      // Of a plural, and of the texts that hold both, `first` is the singular.
      Home& home = homes[plural || term.n_words == 0 ? term.first : term.key];
      if (term.n_words == 0) {
        home.texts -= term.texts;
        continue;
      }
      home.texts += term.texts;
      if (!home.more || term.texts > home.more->texts || (term.texts == home.more->texts && !plural))
        home.more = &term;
    }
    for (const auto& [key, home] : homes) {
      if (!home.more) continue;  // its words were forgotten
      std::string name = counts.display(*home.more, std::uint8_t(1u << home.more->form));
      if (!name.empty()) out.push_back({key, static_cast<Index>(home.texts), std::move(name)});
    }
  }
  std::ranges::sort(out, [](const TermTexts& a, const TermTexts& b) {
    return a.texts != b.texts ? a.texts > b.texts : a.key < b.key;
  });
  return out;
}

struct TermFrequencies::State {
  explicit State(const TermRules& its_rules) : rules(its_rules), finder(its_rules) {
    const auto& known = known_languages();
    const auto at = std::ranges::lower_bound(known, rules.language);
    given =
        at != known.end() && *at == rules.language ? static_cast<Index>(at - known.begin()) : known.size();
  }

  TermRules rules;
  TermFinder finder;
  Index given = 0;  // the language of all texts, if the rules name it
  Texts one;
  std::vector<Frequency> found;
};

TermFrequencies::TermFrequencies(const TermRules& rules) : state_(std::make_unique<State>(rules)) {}
TermFrequencies::~TermFrequencies() = default;
TermFrequencies::TermFrequencies(TermFrequencies&&) noexcept = default;

const std::vector<TermFrequencies::Frequency>& TermFrequencies::of(std::string_view text) {
  State& s = *state_;
  Index language = s.given;
  if (s.rules.language.empty()) {
    s.one.clear();
    s.one.add(text);
    language = quick_languages(s.one, 0, 1, s.rules.expected).front();
  }
  s.finder.clear();
  s.finder.take(text, 0, language);
  s.found.clear();
  for (const auto& list : s.finder.found)
    for (const TermFinder::Found& term : list)
      if (term.n_words > 0) s.found.push_back({term.home, term.times});
  std::ranges::sort(s.found, {}, &Frequency::key);
  Index kept = 0;
  for (const Frequency& f : s.found) {
    if (kept > 0 && s.found[kept - 1].key == f.key)
      s.found[kept - 1].times += f.times;  // a word and its plural
    else
      s.found[kept++] = f;
  }
  s.found.resize(kept);
  return s.found;
}

}  // namespace shoal
