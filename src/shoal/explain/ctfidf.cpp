#include "shoal/explain/ctfidf.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>

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
};

Totals totals_of(const TermCounts& counts, const Labels& groups) {
  Totals t{.texts = std::vector<double>(groups.count), .words = std::vector<double>(groups.count)};
  const auto group = [&](Index cluster) { return static_cast<Index>(groups.of[cluster]); };
  for (const TermCounts::Shard& shard : counts.shards())
    for (const TermCounts::Count& c : shard.counts)
      if (shard.terms[c.term].n_words == 1) t.words[group(c.cluster)] += c.texts;
  for (double words : t.words) t.mean_words += words / static_cast<double>(t.words.size());
  for (Index c = 0; c < groups.of.size(); ++c) t.texts[group(c)] += static_cast<double>(counts.texts_of()[c]);
  for (double texts : t.texts) t.all_texts += texts;
  return t;
}

/// c-TF-IDF, times the share of the group's texts with the term that the rest does not lead one to expect:
/// a word that is as common elsewhere says nothing, however often it stands here.
double score(const TermCounts::Term& term, const TermCounts::Count& count, const Totals& totals,
             const CtfidfOptions& options) {
  const double here = totals.texts[count.cluster];
  const double elsewhere = totals.all_texts - here;
  const double share = count.texts / here;
  const double share_elsewhere = elsewhere > 0 ? (term.texts - count.texts) / elsewhere : 0;
  const double contrast = std::max(0.0, 1 - share_elsewhere / share);
  const double share_of_words = count.texts / totals.words[count.cluster];
  const double tf = options.reduce_frequent_words ? std::sqrt(share_of_words) : share_of_words;
  const double rarity = options.bm25 ? (totals.mean_words - term.texts + 0.5) / (term.texts + 0.5)
                                     : totals.mean_words / term.texts;
  const auto ratio = static_cast<float>(1 + rarity);
  float log = 0;  // by the kernel: the same bits on every machine
  kernels().log(&ratio, &log, 1);
  return tf * log * contrast * contrast;
}

/// For each group the terms of at least `min_words` words with the highest scores, best first.
std::vector<std::vector<RankedTerm>> candidates(const TermCounts& counts, const CtfidfOptions& options,
                                                const Labels& groups, Index wanted, Index min_words) {
  const Totals totals = totals_of(counts, groups);
  const Index most = kCandidates * wanted;
  std::vector<std::vector<RankedTerm>> found(groups.count);  // heaps with the worst in front
  for (const TermCounts::Shard& shard : counts.shards()) {
    for (const TermCounts::Count& c : TermCounts::by_group(shard, groups)) {
      const TermCounts::Term& term = shard.terms[c.term];
      if (term.texts < options.min_count || term.n_words < min_words) continue;
      const double s = score(term, c, totals, options);
      auto& heap = found[c.cluster];
      const bool full = heap.size() == most;
      if (!(s > 0) || (full && (most == 0 || s < heap.front().score))) continue;
      heap.push_back({counts.display(term), s, c.texts});
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

std::vector<TopWord> words_of(std::vector<RankedTerm> terms) {
  std::vector<TopWord> out;
  for (RankedTerm& term : terms) out.push_back({std::move(term.words), term.score});
  return out;
}

}  // namespace

Ctfidf::Ctfidf(Index n_clusters, CtfidfOptions options) {
  check_options(options);
  TermRules rules{.max_ngram = options.max_ngram, .stop_words = options.stop_words};
  std::string buffer;
  for (const std::string& given : options.more_stop_words)
    visit_words(given, [&](const Word& word) { rules.left_out.emplace(singular(word.text, buffer)); });
  state_.reset(new State{options, TermCounts(n_clusters, std::move(rules))});
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
