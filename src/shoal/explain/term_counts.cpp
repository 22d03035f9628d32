#include "shoal/explain/term_counts.h"

#include <algorithm>
#include <bit>
#include <map>
#include <utility>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/explain/term_finder_impl.h"
#include "shoal/explain/term_keys_impl.h"
#include "shoal/tokenize/language.h"

namespace shoal {
namespace {

// Counted at a time: so many rows, or as many as hold so many bytes, which have up to about 100 MB of
// findings.
constexpr Index kSegmentRows = 8192;
constexpr Index kSegmentBytes = Index{4} << 20;
constexpr Index kChunks = 32;  // of a segment

static_assert(TermCounts::kShards == 16);  // shard_of

void vote(TermCounts::Term& term, std::uint8_t form) {
  if (term.votes == 0) term.form = form;
  term.votes += term.form == form ? 1u : -1u;
}

void count(TermCounts::Shard& shard, const TermFinder::Found& found) {
  const std::uint32_t number = shard.term_of.add(found.key);
  if (number == shard.terms.size()) {
    TermCounts::Term term{.key = found.key, .first = found.first, .last = found.last};
    term.n_words = found.n_words;
    if (term.n_words == 1) {
      term.name = static_cast<std::uint32_t>(shard.names.size());
      shard.names.emplace_back();
    }
    shard.terms.push_back(term);
  }
  TermCounts::Term& term = shard.terms[number];
  ++term.texts;
  vote(term, found.form);
  if (term.n_words == 1) {
    std::string& name = found.form ? shard.names[term.name].variant : shard.names[term.name].plain;
    if (name.empty()) name = found.name;
  }
  const std::uint32_t at = shard.count_of.add(mix(found.key, found.cluster));
  if (at == shard.counts.size()) shard.counts.push_back({number, found.cluster, 0, 0});
  ++shard.counts[at].texts;
  shard.counts[at].forms |= 1u << found.form & 0xFFu;
}

/// The shard with only the terms that stand in more than `most` texts.
TermCounts::Shard without_rare(TermCounts::Shard old, std::uint32_t most) {
  TermCounts::Shard kept;
  std::vector<std::uint32_t> number_of(old.terms.size(), KeyTable::kNone);
  for (Index i = 0; i < old.terms.size(); ++i) {
    TermCounts::Term& term = old.terms[i];
    if (term.texts <= most) continue;
    number_of[i] = kept.term_of.add(term.key);
    if (term.n_words == 1) {
      kept.names.push_back(std::move(old.names[term.name]));
      term.name = static_cast<std::uint32_t>(kept.names.size() - 1);
    }
    kept.terms.push_back(term);
  }
  for (const TermCounts::Count& c : old.counts) {
    if (number_of[c.term] == KeyTable::kNone) continue;
    kept.count_of.add(mix(old.terms[c.term].key, c.cluster));
    kept.counts.push_back({number_of[c.term], c.cluster, c.forms, c.texts});
  }
  return kept;
}

}  // namespace

TermCounts::TermCounts(Index n_clusters, TermRules rules, Index most_held)
    : n_clusters_(n_clusters),
      most_held_(most_held),
      rules_(std::move(rules)),
      shards_(kShards),
      texts_of_(n_clusters) {
  require(n_clusters <= kMostClusters, Fault::argument,
          "words are counted for at most " + std::to_string(kMostClusters) + " clusters");
}

TermCounts::~TermCounts() = default;
TermCounts::TermCounts(TermCounts&&) noexcept = default;

void TermCounts::add(const Texts& texts, const Label* labels, const Run& run) {
  for (Index i = 0; i < texts.size(); ++i) {
    if (labels[i] == kNoise) continue;
    if (labels[i] < 0 || static_cast<Index>(labels[i]) >= n_clusters_)
      throw Error(Fault::argument, "row " + std::to_string(rows_ + i) + " has label " +
                                       std::to_string(labels[i]) + "; allowed are 0 to " +
                                       std::to_string(n_clusters_ - 1) + " and -1");
    ++texts_of_[static_cast<Index>(labels[i])];
  }
  Index first = 0;
  for (Index i = 0; i < texts.size(); ++i) {
    const Index before = bytes_ / kSegmentBytes;
    bytes_ += std::min(texts[i].size(), kMostOfText);
    const bool full = ++rows_ % kSegmentRows == 0 || bytes_ / kSegmentBytes != before;
    if (!full && i + 1 < texts.size()) continue;
    add_segment(texts, labels, first, i + 1, run);
    first = i + 1;
    if (full) forget_rare(run);  // never where only a call ends
  }
}

void TermCounts::add_segment(const Texts& texts, const Label* labels, Index first, Index last,
                             const Run& run) {
  const Index grain = chunk_count(last - first, kChunks), n_chunks = chunk_count(last - first, grain);
  finders_.reserve(kChunks + 1);
  while (finders_.size() < n_chunks) finders_.emplace_back(rules_);
  for (TermFinder& finder : finders_) finder.clear();
  const auto& known = known_languages();
  const auto given = static_cast<Index>(std::ranges::lower_bound(known, rules_.language) - known.begin());
  for_chunks(run, last - first, grain, [&](Index chunk, Index begin, Index end) {
    std::vector<Index> languages(end - begin, given);
    if (rules_.language.empty())
      languages = quick_languages(texts, first + begin, first + end, rules_.expected);
    for (Index i = first + begin; i < first + end; ++i)
      if (labels[i] != kNoise)
        finders_[chunk].take(texts[i], static_cast<std::uint32_t>(labels[i]), languages[i - first - begin]);
  });
  for_chunks(run, kShards, 1, [&](Index s, Index, Index) {
    for (const TermFinder& finder : finders_)
      for (const TermFinder::Found& found : finder.found[s]) count(shards_[s], found);
  });
}

/// One limit for all shards: a pair is seldom more frequent than its words, nor a triple than its pairs, so
/// that the parts stay as long as the whole; `display` says where they do not.
void TermCounts::forget_rare(const Run& run) {
  Index left = 0;
  for (const Shard& shard : shards_) left += shard.terms.size() + shard.counts.size();
  if (left <= most_held_) return;
  std::map<std::uint32_t, Index> held;  // terms and counts by the texts of the term
  for (const Shard& shard : shards_) {
    for (const Term& term : shard.terms) ++held[term.texts];
    for (const Count& c : shard.counts) ++held[shard.terms[c.term].texts];
  }
  std::uint32_t most = 0;
  for (const auto& [texts, n] : held) {
    if (left <= most_held_ / 2) break;
    most = texts;
    left -= n;
  }
  for_chunks(run, kShards, 1,
             [&](Index s, Index, Index) { shards_[s] = without_rare(std::move(shards_[s]), most); });
}

const TermCounts::Term* TermCounts::find_term(std::uint64_t key, std::uint64_t home) const {
  const Shard& shard = shards_[shard_of(home)];
  const std::uint32_t number = shard.term_of.find(key);
  return number == KeyTable::kNone ? nullptr : &shard.terms[number];
}

std::vector<std::uint64_t> TermCounts::words_of(const Term& term) const {
  if (term.n_words == 1) return {term.first};
  std::vector<std::uint64_t> out{term.first, term.last};
  if (term.n_words == 2) return out;
  const Term* pair = find_term(term.first, term.first);
  return pair ? std::vector{pair->first, pair->last, term.last} : std::vector{term.last};
}

std::string TermCounts::display(const Term& term, std::uint8_t forms) const {
  std::uint8_t form = term.form;
  if (!(forms >> form & 1)) form = static_cast<std::uint8_t>(std::countr_zero(static_cast<unsigned>(forms)));
  if (term.n_words > 1) return of_several(term, form);
  const Name& name = shards_[shard_of(term.first)].names[term.name];
  return form == 0 ? name.plain : name.variant;
}

std::string TermCounts::of_several(const Term& term, std::uint8_t form) const {
  const Term* pair = term.n_words == 3 ? find_term(term.first, term.first) : nullptr;
  if (term.n_words == 3 && !pair) return {};
  const std::string head = pair ? of_several(*pair, form) : of_word(term.first, form & 1);
  const std::string tail = of_word(term.last, form >> (term.n_words - 1) & 1);
  return head.empty() || tail.empty() ? std::string() : head + ' ' + tail;
}

std::string TermCounts::of_word(std::uint64_t singular, bool plural) const {
  const Term* term = find_term(plural ? plural_key(singular) : singular, singular);
  if (!term) return {};
  const Name& name = shards_[shard_of(singular)].names[term->name];
  return (term->form == 0 && !name.plain.empty()) || name.variant.empty() ? name.plain : name.variant;
}

}  // namespace shoal
