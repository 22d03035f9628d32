#include "shoal/explain/ctfidf.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <span>
#include <unordered_set>

#include "shoal/core/error.h"
#include "shoal/explain/repeats.h"
#include "shoal/explain/term_counts.h"
#include "shoal/kernels/kernels.h"
#include "shoal/tokenize/words.h"

namespace shoal {

struct Ctfidf::State {
  CtfidfOptions options;
  TermCounts counts;
};

namespace {

constexpr Index kCandidates = 8;  // ranked for each word that is wanted, before repeats are left out

bool better(const RankedTerm& a, const RankedTerm& b) {
  return a.score != b.score ? a.score > b.score : a.words < b.words;
}

/// What the score needs to know of all groups of clusters.
struct Totals {
  std::vector<double> texts, words;  // of each group; its texts' words, each once a text
  double all_texts = 0, mean_words = 0;
  std::unordered_set<std::uint64_t> spread;  // keys of words that are spread evenly
};

constexpr double kDominates = 2;       // a share so many times that of the other texts names a cluster
constexpr double kDeviations = 1.5;    // what chance may add to a count, in its standard deviations
constexpr double kMostClusters = 0.7;  // a word that is spread evenly stands in this share of them

/// A term's counts in all groups, one after another.
using OfTerm = std::span<const TermCounts::Merged>;

template <class Visit>
void for_terms(const std::vector<TermCounts::Merged>& merged, const Visit& visit) {
  for (Index begin = 0; begin < merged.size();) {
    Index end = begin + 1;
    while (end < merged.size() && merged[end].head == merged[begin].head) ++end;
    visit(OfTerm(merged).subspan(begin, end - begin));
    begin = end;
  }
}

/// True if a word stands in most groups, and in none in a much larger share of the texts than elsewhere,
/// beyond what chance does: it names nothing, whatever its language.
bool is_spread(OfTerm counts, const Totals& totals) {
  const double all = counts.front().all_texts;
  Index can_hold = 0, holds = 0;  // groups large enough to hold it once, and those of them that do
  for (double texts : totals.texts) can_hold += texts * all >= totals.all_texts;
  if (can_hold < 2 ||
      static_cast<double>(can_hold) < kMostClusters * static_cast<double>(totals.texts.size()))
    return false;
  for (const TermCounts::Merged& c : counts) {
    const double here = totals.texts[c.group], elsewhere = totals.all_texts - here;
    holds += here * all >= totals.all_texts;
    if (elsewhere <= 0) return false;
    const double at_most = c.texts + kDeviations * std::sqrt(static_cast<double>(c.texts));
    if (at_most / here >= kDominates * (all - c.texts) / elsewhere) return false;
  }
  return static_cast<double>(holds) >= kMostClusters * static_cast<double>(can_hold);
}

/// The sizes of the groups, and the keys of the words that are spread evenly over them.
Totals totals_of(const TermCounts& counts, const Labels& groups, bool find_spread) {
  Totals t{.texts = std::vector<double>(groups.count), .words = std::vector<double>(groups.count)};
  for (Index c = 0; c < groups.of.size(); ++c)
    t.texts[static_cast<Index>(groups.of[c])] += static_cast<double>(counts.texts_of()[c]);
  for (double texts : t.texts) t.all_texts += texts;
  for (const TermCounts::Shard& shard : counts.shards()) {
    for_terms(TermCounts::merged(shard, groups), [&](OfTerm of) {
      const TermCounts::Term& term = shard.terms[of.front().term];
      if (term.n_words != 1) return;
      for (const TermCounts::Merged& c : of) t.words[c.group] += c.texts;
      if (find_spread && is_spread(of, t)) t.spread.insert(term.first);
    });
  }
  for (double words : t.words) t.mean_words += words / static_cast<double>(t.words.size());
  return t;
}

/// c-TF-IDF, times the share of the group's texts with the term that the rest does not lead one to expect:
/// a word that is as common elsewhere says nothing, however often it stands here.
double score(const TermCounts::Merged& count, const Totals& totals, const CtfidfOptions& options) {
  const double here = totals.texts[count.group];
  const double elsewhere = totals.all_texts - here;
  const double share = count.texts / here;
  const double share_elsewhere = elsewhere > 0 ? (count.all_texts - count.texts) / elsewhere : 0;
  const double contrast = std::max(0.0, 1 - share_elsewhere / share);
  const double share_of_words = count.texts / totals.words[count.group];
  const double tf = options.reduce_frequent_words ? std::sqrt(share_of_words) : share_of_words;
  const double rarity = options.bm25 ? (totals.mean_words - count.all_texts + 0.5) / (count.all_texts + 0.5)
                                     : totals.mean_words / count.all_texts;
  const auto ratio = static_cast<float>(1 + rarity);
  float log = 0;  // by the kernel: the same bits on every machine
  kernels().log(&ratio, &log, 1);
  return tf * log * contrast * contrast;
}

/// For each group the terms of at least `min_words` words with the highest scores, best first.
std::vector<std::vector<RankedTerm>> candidates(const TermCounts& counts, const CtfidfOptions& options,
                                                const Labels& groups, Index wanted, Index min_words) {
  const Totals totals = totals_of(counts, groups, options.stop_words);
  const Index most = kCandidates * wanted;
  std::vector<std::vector<RankedTerm>> found(groups.count);  // heaps with the worst in front
  const auto holds_spread = [&](const TermCounts::Term& term) {
    return !totals.spread.empty() && std::ranges::any_of(counts.words_of(term), [&](std::uint64_t key) {
      return totals.spread.contains(key);
    });
  };
  for (const TermCounts::Shard& shard : counts.shards()) {
    for (const TermCounts::Merged& c : TermCounts::merged(shard, groups)) {
      const TermCounts::Term& term = shard.terms[c.term];
      if (c.all_texts < options.min_count || term.n_words < min_words) continue;
      const double s = score(c, totals, options);
      auto& heap = found[c.group];
      const bool full = heap.size() == most;
      if (!(s > 0) || (full && (most == 0 || s < heap.front().score)) || holds_spread(term)) continue;
      std::string words = counts.display(term, c.forms);
      if (words.empty()) continue;
      heap.push_back({std::move(words), s, c.texts});
      std::ranges::push_heap(heap, better);
      if (!full) continue;
      std::ranges::pop_heap(heap, better);
      heap.pop_back();
    }
  }
  for (auto& heap : found) std::ranges::sort_heap(heap, better);
  return found;
}

void check(const Labels& groups, Index n_clusters) {
  const auto in_range = [&](Label g) { return g >= 0 && static_cast<Index>(g) < groups.count; };
  if (groups.of.size() != n_clusters || !std::ranges::all_of(groups.of, in_range))
    throw Error(Fault::argument, "top_words: each of " + std::to_string(n_clusters) +
                                     " clusters needs one of the " + std::to_string(groups.count) +
                                     " groups");
}

Labels each_itself(Index n_clusters) {
  Labels out{.of = std::vector<Label>(n_clusters), .count = n_clusters};
  std::iota(out.of.begin(), out.of.end(), 0);
  return out;
}

/// Words as people write them side by side: without a blank where their script has none.
std::string side_by_side(const std::string& words) {
  std::string out;
  std::string_view before;
  for (std::size_t at = 0; at <= words.size();) {
    const std::size_t end = std::min(words.find(' ', at), words.size());
    const std::string_view word = std::string_view(words).substr(at, end - at);
    if (at > 0 && !(without_blanks(before) && without_blanks(word))) out += ' ';
    out += word;
    before = word;
    at = end + 1;
  }
  return out;
}

std::vector<TopWord> words_of(const std::vector<RankedTerm>& terms) {
  std::vector<TopWord> out;
  for (const RankedTerm& term : terms) out.push_back({side_by_side(term.words), term.score});
  return out;
}

TermRules rules_of(const CtfidfOptions& options, std::vector<LanguageCount> expected) {
  TermRules rules{.max_ngram = options.max_ngram,
                  .stop_words = options.stop_words,
                  .markup = options.keep_markup,
                  .numbers = options.keep_numbers,
                  .language = options.language == "auto" ? "" : options.language,
                  .expected = std::move(expected)};
  require(rules.language.empty() || std::ranges::binary_search(known_languages(), rules.language),
          Fault::argument,
          option_name("language") + " is '" + options.language +
              "'; allowed are auto and codes of ISO 639-1 that can be detected, such as en, ru or zh");
  for (const std::string& given : options.more_stop_words)
    visit_words(given, {.language = rules.language}, [&](const Word& word) {
      for (const std::string& form : word_and_singular(word.text)) rules.left_out.insert(form);
    });
  return rules;
}

}  // namespace

Ctfidf::Ctfidf(Index n_clusters, CtfidfOptions options, std::vector<LanguageCount> expected) {
  check_options(options);
  state_.reset(new State{options, TermCounts(n_clusters, rules_of(options, std::move(expected)))});
}
Ctfidf::~Ctfidf() = default;
Ctfidf::Ctfidf(Ctfidf&&) noexcept = default;

void Ctfidf::add(const Texts& texts, const Label* labels, const Run& run) {
  state_->counts.add(texts, labels, run);
}

std::vector<std::vector<TopWord>> Ctfidf::top_words() const {
  return top_words(each_itself(state_->counts.texts_of().size()));
}

std::vector<std::vector<TopWord>> Ctfidf::top_words(const Labels& groups) const {
  check(groups, state_->counts.texts_of().size());
  const Index n = state_->options.n_words;
  std::vector<std::vector<TopWord>> out;
  for (const auto& terms : candidates(state_->counts, state_->options, groups, n, 1))
    out.push_back(words_of(without_repeats(terms, n)));
  return out;
}

std::vector<std::vector<TopWord>> Ctfidf::top_phrases(Index n) const {
  const Labels itself = each_itself(state_->counts.texts_of().size());
  std::vector<std::vector<TopWord>> out;
  for (const auto& terms : candidates(state_->counts, state_->options, itself, n, 2))
    out.push_back(words_of(without_parts(terms, n)));
  return out;
}

}  // namespace shoal
