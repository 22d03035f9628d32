#include "shoal/explain/term_counts.h"

#include <algorithm>
#include <functional>
#include <map>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/tokenize/words.h"

namespace shoal {
namespace {

// Counted at a time: so many rows, or as many as hold so many bytes, which have up to about 100 MB of
// findings.
constexpr Index kSegmentRows = 8192;
constexpr Index kSegmentBytes = Index{4} << 20;
constexpr Index kMostOfText = Index{1} << 20;  // bytes
constexpr Index kChunks = 32;                  // of a segment
constexpr Index kLongest = 48;                 // bytes; longer "words" are addresses, hashes and the like

/// The finaliser of SplitMix64: every bit of the result depends on every bit of x.
std::uint64_t mix(std::uint64_t x) {
  x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
  x = (x ^ x >> 27) * 0x94D049BB133111EBu;
  return x ^ x >> 31;
}
std::uint64_t mix(std::uint64_t a, std::uint64_t b) { return mix(a + 0x9E3779B97F4A7C15u * (b + 1)); }

std::uint64_t key_of(std::string_view word) {  // FNV-1a
  std::uint64_t key = 0xCBF29CE484222325u;
  for (char c : word) key = (key ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
  return mix(key);
}

Index shard_of(std::uint64_t key) { return key >> 60; }
static_assert(TermCounts::kShards == 16);

/// A term found in a text.
struct Found {
  std::uint64_t key, first, last;
  std::string_view name;  // a word as it stands there; empty for several
  std::uint32_t cluster;
  std::uint8_t form, n_words;
};

/// What is known of a spelling, worked out once a chunk.
struct Spelling {
  std::uint64_t key = 0;
  bool plural = false, usable = false;
};

struct ViewHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view s) const { return std::hash<std::string_view>()(s); }
};

bool has_letter(std::string_view word) {
  return std::any_of(word.begin(), word.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || static_cast<unsigned char>(c) >= 0x80; });
}

/// The terms of a chunk of texts, each once a text, in order, dealt to the shards.
class Finder {
 public:
  explicit Finder(const TermRules& rules) : rules_(rules), found(TermCounts::kShards) {}

  void take(std::string_view text, std::uint32_t cluster) {
    of_text_.clear();
    before_.clear();
    visit_words(text.substr(0, kMostOfText), [&](const Word& word) {
      const Entry* entry = look_up(word.text);
      if (!entry || !entry->second.usable || !word.follows) before_.clear();
      if (!entry || !entry->second.usable) return;
      add({entry->second.key, 0, 0, entry->first, cluster, entry->second.plural, 1});
      add_longer(entry->second, cluster);
    });
  }

 private:
  using Known = std::unordered_map<std::string, Spelling, ViewHash, std::equal_to<>>;
  using Entry = Known::value_type;

  /// Stays where it is while the finder lives; null for what is too long to be a word.
  const Entry* look_up(std::string_view word) {
    if (word.size() > kLongest) return nullptr;
    const auto at = known_.find(word);
    if (at != known_.end()) return &*at;
    Spelling spelling;
    const std::string_view one = singular(word, buffer_);
    spelling.plural = one != word;
    spelling.key = key_of(one);
    spelling.usable = word.size() > 1 && has_letter(word) && !(rules_.stop_words && is_stop_word(word)) &&
                      !rules_.left_out.contains(one);
    return &*known_.emplace(std::string(word), spelling).first;
  }

  /// The terms of several different words that end with this one.
  void add_longer(const Spelling& word, std::uint32_t cluster) {
    const Index n = before_.size();
    if (n >= 1 && before_[n - 1].key != word.key) {
      const Spelling& a = before_[n - 1];
      const auto form = static_cast<std::uint8_t>(a.plural | word.plural << 1);
      add({mix(a.key, word.key), a.key, word.key, {}, cluster, form, 2});
      if (n >= 2 && before_[n - 2].key != a.key && before_[n - 2].key != word.key) add_triple(word, cluster);
    }
    before_.push_back(word);
    if (before_.size() >= rules_.max_ngram) before_.erase(before_.begin());
  }

  void add_triple(const Spelling& word, std::uint32_t cluster) {
    const Spelling &a = before_[before_.size() - 2], &b = before_.back();
    const std::uint64_t pair = mix(a.key, b.key);
    const auto form = static_cast<std::uint8_t>(a.plural | b.plural << 1 | word.plural << 2);
    add({mix(pair, word.key), pair, word.key, {}, cluster, form, 3});
  }

  void add(const Found& term) {
    const Index before = of_text_.size();
    if (of_text_.add(term.key) == before) found[shard_of(term.key)].push_back(term);
  }

  const TermRules& rules_;
  std::vector<Spelling> before_;  // the usable words that stand right before, as many as may be needed
  Known known_;
  std::string buffer_;
  KeyTable of_text_;

 public:
  std::vector<std::vector<Found>> found;  // a list a shard
};

void vote(TermCounts::Term& term, std::uint8_t form) {
  if (term.votes == 0) term.form = form;
  term.votes += term.form == form ? 1u : -1u;
}

void count(TermCounts::Shard& shard, const Found& found) {
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
    std::string& name = found.form ? shard.names[term.name].plural : shard.names[term.name].singular;
    if (name.empty()) name = found.name;
  }
  const std::uint32_t at = shard.count_of.add(mix(found.key, found.cluster));
  if (at == shard.counts.size()) shard.counts.push_back({number, found.cluster, 0});
  ++shard.counts[at].texts;
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
    kept.counts.push_back({number_of[c.term], c.cluster, c.texts});
  }
  return kept;
}

}  // namespace

TermCounts::TermCounts(Index n_clusters, TermRules rules, Index most_held)
    : n_clusters_(n_clusters),
      most_held_(most_held),
      rules_(std::move(rules)),
      shards_(kShards),
      texts_of_(n_clusters) {}

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
  const Index grain = chunk_count(last - first, kChunks);
  std::vector<Finder> finders(chunk_count(last - first, grain), Finder(rules_));
  for_chunks(run, last - first, grain, [&](Index chunk, Index begin, Index end) {
    for (Index i = first + begin; i < first + end; ++i)
      if (labels[i] != kNoise) finders[chunk].take(texts[i], static_cast<std::uint32_t>(labels[i]));
  });
  for_chunks(run, kShards, 1, [&](Index s, Index, Index) {
    for (const Finder& finder : finders)
      for (const Found& found : finder.found[s]) count(shards_[s], found);
  });
}

/// One limit for all shards: a pair is never more frequent than its words, nor a triple than its pairs, so
/// that the parts stay as long as the whole.
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

std::vector<TermCounts::Count> TermCounts::by_group(const Shard& shard, const Labels& groups) {
  KeyTable place_of;
  std::vector<Count> sums;
  for (const Count& c : shard.counts) {
    const auto group = static_cast<std::uint32_t>(groups.of[c.cluster]);
    const Index place = place_of.add(mix(shard.terms[c.term].key, group));
    if (place == sums.size()) sums.push_back({c.term, group, 0});
    sums[place].texts += c.texts;
  }
  return sums;
}

const TermCounts::Term& TermCounts::term_of(std::uint64_t key) const {
  const Shard& shard = shards_[shard_of(key)];
  return shard.terms[shard.term_of.find(key)];
}

std::string TermCounts::display(const Term& term) const { return display(term, term.form); }

std::string TermCounts::display(const Term& term, std::uint8_t form) const {
  if (term.n_words > 1)
    return display(term_of(term.first), form) + ' ' +
           display(term_of(term.last), static_cast<std::uint8_t>(form >> (term.n_words - 1)));
  const Name& name = shards_[shard_of(term.key)].names[term.name];
  const bool plural = form & 1;
  return (plural && !name.plural.empty()) || name.singular.empty() ? name.plural : name.singular;
}

}  // namespace shoal
