#include "shoal/explain/term_counts.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <map>
#include <span>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/core/utf8.h"
#include "shoal/tokenize/language.h"
#include "shoal/tokenize/stop_words.h"
#include "shoal/tokenize/words.h"

namespace shoal {
namespace {

// Counted at a time: so many rows, or as many as hold so many bytes, which have up to about 100 MB of
// findings.
constexpr Index kSegmentRows = 8192;
constexpr Index kSegmentBytes = Index{4} << 20;
constexpr Index kMostOfText = Index{1} << 20;  // bytes
constexpr Index kChunks = 32;                  // of a segment
constexpr Index kMostKnown = 16384;            // spellings that a chunk's finder remembers
constexpr Index kLongest = 48;                 // letters; longer "words" are hashes and the like
constexpr double kApart =
    0.35;  // a word and its plural whose shares differ more, beyond chance, are two words

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

std::uint64_t plural_key(std::uint64_t singular) { return mix(singular, 1); }
std::uint64_t both_key(std::uint64_t singular) { return mix(singular, 2); }

/// What `word` may be the plural of by its ending; empty if nothing. Whether it is, the texts tell.
std::string singular_of(std::string_view word) {
  const auto ends = [&](std::string_view end) { return word.ends_with(end); };
  if (word.size() < 4 || !ends("s") || ends("ss") || ends("us") || ends("is") || ends("'s")) return {};
  if (ends("ies") && word.size() > 4) return std::string(word.substr(0, word.size() - 3)) + 'y';
  const bool hissing = ends("sses") || ends("xes") || ends("ches") || ends("shes") || ends("zzes");
  return std::string(word.substr(0, word.size() - (hissing ? 2 : 1)));
}

/// A term found in a text.
struct Found {
  std::uint64_t key, home, first, last;
  std::string_view name;  // a word as it stands there; empty for several
  std::uint32_t cluster;
  std::uint8_t form, n_words;
};

/// What a word counts as.
struct Keys {
  std::uint64_t key = 0, singular = 0;  // the same but for a plural

  bool plural() const { return key != singular; }
};

/// The languages in which a word says nothing, by its key: quicker than by the word.
class StopWords {
 public:
  StopWords() {
    visit_stop_words([&](std::string_view word, const LanguageSet& languages) {
      const std::uint32_t number = numbers_.add(key_of(word));
      if (number == sets_.size()) sets_.emplace_back();
      sets_[number] |= languages;
    });
  }
  LanguageSet of(std::uint64_t key) const {
    const std::uint32_t number = numbers_.find(key);
    return number == KeyTable::kNone ? LanguageSet() : sets_[number];
  }

 private:
  KeyTable numbers_;
  std::vector<LanguageSet> sets_;
};

const StopWords& all_stop_words() {
  static const StopWords words;
  return words;
}

/// What is known of a spelling, worked out once.
struct Spelling : Keys {
  bool variant = false, usable = false;
  LanguageSet says_nothing;
};

struct ViewHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view s) const { return std::hash<std::string_view>()(s); }
};

/// True for what is too short to be a name: one letter, but for Han, and one or two kana of the first kind,
/// which are endings.
bool is_too_short(std::string_view word) {
  const Index letters = letter_count(word);
  if (letters > 2) return false;
  const char32_t first = code_point_at(word, 0).value;
  if (first >= 0x3041 && first < 0x30A0) return word.size() <= 6;
  return letters < 2 && !(first >= 0x3400 && without_blanks(word));
}

}  // namespace

/// The terms of a chunk of texts, each once a text, in order, dealt to the shards.
class TermFinder {
 public:
  explicit TermFinder(const TermRules& rules) : found(TermCounts::kShards), rules_(rules) {}

  /// Before the next chunk.
  void clear() {
    for (auto& list : found) list.clear();
    if (known_.size() > kMostKnown) known_.clear();
  }

  /// `language`: its place in known_languages(), their number if it is unknown.
  void take(std::string_view text, std::uint32_t cluster, Index language) {
    of_text_.clear();
    before_.clear();
    plurals_.clear();
    const auto& known = known_languages();
    // What is in none that is known gets English's list, as all texts once did.
    const bool is_known = language < known.size();
    const Index list = is_known ? language : english_;
    const WordRules rules{.markup = rules_.markup,
                          .language = is_known ? std::string_view(known[language]) : ""};
    visit_words(text.substr(0, kMostOfText), rules, [&](const Word& word) {
      const Entry* entry = look_up(word.text);
      const bool usable =
          entry && entry->second.usable && !(rules_.stop_words && entry->second.says_nothing[list]);
      if (!usable || !word.follows) before_.clear();
      if (!usable) return;
      const Spelling& found_word = entry->second;
      if (found_word.plural()) plurals_.push_back(found_word.singular);
      add({found_word.key, found_word.singular, found_word.singular, 0, entry->first, cluster,
           found_word.variant, 1});
      add_longer(found_word, cluster);
    });
    for (const std::uint64_t singular : plurals_)
      if (of_text_.find(singular) != KeyTable::kNone)
        add({both_key(singular), singular, singular, 0, {}, cluster, 0, 0});
  }

  std::vector<std::vector<Found>> found;  // a list a shard

 private:
  using Known = std::unordered_map<std::string, Spelling, ViewHash, std::equal_to<>>;
  using Entry = Known::value_type;

  /// Stays where it is while the finder lives; null for what is too long to be a word.
  const Entry* look_up(std::string_view word) {
    if (word.size() > kLongest && letter_count(word) > kLongest) return nullptr;
    const auto at = known_.find(word);
    if (at != known_.end()) return &*at;
    Spelling spelling;
    const std::string plain = plain_form(word), singular = singular_of(plain.empty() ? word : plain);
    spelling.variant = !plain.empty();
    spelling.singular = key_of(!singular.empty() ? singular : spelling.variant ? plain : word);
    spelling.key = singular.empty() ? spelling.singular : plural_key(spelling.singular);
    const bool is_itself = plain.empty() && singular.empty();
    spelling.says_nothing = all_stop_words().of(is_itself ? spelling.singular : key_of(word));
    spelling.usable = !is_too_short(word) && (rules_.numbers || has_letter(word)) &&
                      !rules_.left_out.contains(word) && !rules_.left_out.contains(singular);
    return &*known_.emplace(std::string(word), spelling).first;
  }

  /// The terms of several different words that end with this one.
  void add_longer(const Keys& word, std::uint32_t cluster) {
    const Index n = before_.size();
    if (n >= 1 && before_[n - 1].singular != word.singular) {
      const Keys& a = before_[n - 1];
      const auto form = static_cast<std::uint8_t>(a.plural() | word.plural() << 1);
      const std::uint64_t key = mix(a.singular, word.singular);
      add({key, key, a.singular, word.singular, {}, cluster, form, 2});
      if (n >= 2 && before_[n - 2].singular != a.singular && before_[n - 2].singular != word.singular)
        add_triple(word, cluster);
    }
    before_.push_back(word);
    if (before_.size() >= rules_.max_ngram) before_.erase(before_.begin());
  }

  void add_triple(const Keys& word, std::uint32_t cluster) {
    const Keys &a = before_[before_.size() - 2], &b = before_.back();
    const std::uint64_t pair = mix(a.singular, b.singular), key = mix(pair, word.singular);
    const auto form = static_cast<std::uint8_t>(a.plural() | b.plural() << 1 | word.plural() << 2);
    add({key, key, pair, word.singular, {}, cluster, form, 3});
  }

  void add(const Found& term) {
    const Index before = of_text_.size();
    if (of_text_.add(term.key) == before) found[shard_of(term.home)].push_back(term);
  }

  const TermRules rules_;
  const Index english_ =
      static_cast<Index>(std::ranges::find(known_languages(), "en") - known_languages().begin());
  std::vector<Keys> before_;            // the usable words that stand right before, as many as may be needed
  std::vector<std::uint64_t> plurals_;  // of the text: their singulars
  Known known_;
  KeyTable of_text_;
};

namespace {

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

std::vector<std::string> word_and_singular(std::string_view word) {
  std::vector<std::string> out{std::string(word)};
  if (std::string singular = singular_of(word); !singular.empty()) out.push_back(std::move(singular));
  return out;
}

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
      for (const Found& found : finder.found[s]) count(shards_[s], found);
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

namespace {

/// A shard's counts summed over the clusters of each group, ordered by term and group; `cluster` is the
/// group.
std::vector<TermCounts::Count> by_group(const TermCounts::Shard& shard, const Labels& groups) {
  std::vector<std::uint32_t> first(shard.terms.size() + 1);
  for (const TermCounts::Count& c : shard.counts) ++first[c.term + 1];
  for (Index t = 0; t + 1 < first.size(); ++t) first[t + 1] += first[t];
  std::vector<TermCounts::Count> ordered(shard.counts.size());
  for (const TermCounts::Count& c : shard.counts) {
    TermCounts::Count& to = ordered[first[c.term]++];
    to = c;
    to.cluster = static_cast<std::uint32_t>(groups.of[c.cluster]) & 0xFFFFFFu;
  }
  const auto before = [](const auto& a, const auto& b) {
    return a.term != b.term ? a.term < b.term : a.cluster < b.cluster;
  };
  Index kept = 0;
  for (Index begin = 0; begin < ordered.size();) {
    Index end = begin + 1;
    while (end < ordered.size() && ordered[end].term == ordered[begin].term) ++end;
    if (end - begin > 1)
      std::sort(ordered.begin() + static_cast<std::ptrdiff_t>(begin),
                ordered.begin() + static_cast<std::ptrdiff_t>(end), before);
    for (Index i = begin; i < end; ++i) {
      if (i > begin && ordered[kept - 1].cluster == ordered[i].cluster) {
        ordered[kept - 1].texts += ordered[i].texts;
        ordered[kept - 1].forms |= ordered[i].forms;
      } else {
        ordered[kept++] = ordered[i];
      }
    }
    begin = end;
  }
  ordered.resize(kept);
  return ordered;
}

using Counts = std::span<const TermCounts::Count>;

/// Calls `visit(group, texts of a, texts of b)` for each group that has one.
template <class Visit>
void for_both(Counts a, Counts b, const Visit& visit) {
  for (Index i = 0, j = 0; i < a.size() || j < b.size();) {
    const bool of_a = i < a.size() && (j == b.size() || a[i].cluster <= b[j].cluster);
    const bool of_b = j < b.size() && (i == a.size() || b[j].cluster <= a[i].cluster);
    visit(of_a ? a[i].cluster : b[j].cluster, of_a ? &a[i] : nullptr, of_b ? &b[j] : nullptr);
    i += of_a;
    j += of_b;
  }
}

/// True if two words are spread over the groups alike, as far as chance lets one tell: the part of their
/// texts that lies elsewhere is less than kApart above what is to be expected of two draws from one
/// distribution.
bool alike(Counts a, Counts b, double texts_a, double texts_b) {
  double apart = 0, by_chance = 0;
  for_both(a, b, [&](Index, const auto* of_a, const auto* of_b) {
    const double here_a = of_a ? of_a->texts : 0, here_b = of_b ? of_b->texts : 0;
    const double share = (here_a + here_b) / (texts_a + texts_b);
    apart += std::abs(here_a / texts_a - here_b / texts_b) / 2;
    by_chance += 0.4 * std::sqrt(share * (1 - share) * (1 / texts_a + 1 / texts_b));
  });
  return apart - by_chance < kApart;
}

}  // namespace

std::vector<TermCounts::Merged> TermCounts::merged(const Shard& shard, const Labels& groups) {
  const std::vector<Count> counts = by_group(shard, groups);
  std::vector<std::uint32_t> first(shard.terms.size() + 1);
  for (const Count& c : counts) ++first[c.term + 1];
  for (Index t = 0; t + 1 < first.size(); ++t) first[t + 1] += first[t];
  const auto of = [&](std::uint32_t term) {
    return Counts(counts).subspan(first[term], first[term + 1] - first[term]);
  };
  std::vector<std::uint32_t> plural_of(shard.terms.size(), KeyTable::kNone);
  std::vector<bool> joined(shard.terms.size());  // said with its singular
  for (std::uint32_t t = 0; t < shard.terms.size(); ++t) {
    const Term& plural = shard.terms[t];
    if (plural.n_words != 1 || plural.key == plural.first) continue;
    const std::uint32_t singular = shard.term_of.find(plural.first);
    if (singular == KeyTable::kNone || !alike(of(singular), of(t), shard.terms[singular].texts, plural.texts))
      continue;
    plural_of[singular] = t;
    joined[t] = true;
  }
  std::vector<Merged> out;
  out.reserve(counts.size());
  for (std::uint32_t t = 0; t < shard.terms.size(); ++t) {
    const Term& term = shard.terms[t];
    if (joined[t] || term.n_words == 0) continue;
    const std::uint32_t plural = plural_of[t];
    if (plural == KeyTable::kNone) {
      for (const Count& c : of(t))
        out.push_back({t, c.cluster, t, c.texts, term.texts, static_cast<std::uint8_t>(c.forms)});
      continue;
    }
    const std::uint32_t both = shard.term_of.find(both_key(term.key));
    Counts twice = both == KeyTable::kNone ? Counts() : of(both);
    const std::uint32_t all =
        term.texts + shard.terms[plural].texts - (both == KeyTable::kNone ? 0 : shard.terms[both].texts);
    for_both(of(t), of(plural), [&](Index group, const Count* one, const Count* many) {
      while (!twice.empty() && twice.front().cluster < group) twice = twice.subspan(1);
      const std::uint32_t again = !twice.empty() && twice.front().cluster == group ? twice.front().texts : 0;
      const std::uint32_t ones = one ? one->texts : 0, manys = many ? many->texts : 0;
      const Count* shown = ones >= manys ? one : many;
      out.push_back({ones >= manys ? t : plural, static_cast<std::uint32_t>(group), t, ones + manys - again,
                     all, static_cast<std::uint8_t>(shown->forms)});
    });
  }
  return out;
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
