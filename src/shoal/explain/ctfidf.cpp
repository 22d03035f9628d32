#include "shoal/explain/ctfidf.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "shoal/core/error.h"
#include "shoal/explain/repeats.h"
#include "shoal/explain/term_counts.h"

namespace shoal {
namespace {

constexpr Index kCandidates = 8;  // ranked for each word that is wanted, before repeats are left out

struct Candidate {
  TopWord word;
  Index texts = 0;  // of this cluster that hold it
};

bool better(const Candidate& a, const Candidate& b) {
  return a.word.score != b.word.score ? a.word.score > b.word.score : a.word.word < b.word.word;
}

}  // namespace

struct Ctfidf::State {
  CtfidfOptions options;
  TermCounts counts;

  /// What the score needs to know of all clusters.
  struct Totals {
    std::vector<double> words;  // a cluster: its texts' words, each once a text
    double mean_words = 0, texts = 0;
  };
  Totals totals() const;
  double score(const TermCounts::Term& term, const TermCounts::Count& count, const Totals& totals) const;
  std::vector<std::vector<Candidate>> candidates() const;
};

Ctfidf::State::Totals Ctfidf::State::totals() const {
  Totals t{.words = std::vector<double>(counts.texts_of().size())};
  for (const TermCounts::Shard& shard : counts.shards())
    for (const TermCounts::Count& c : shard.counts)
      if (!shard.terms[c.term].pair) t.words[c.cluster] += c.texts;
  for (double words : t.words) t.mean_words += words / static_cast<double>(t.words.size());
  for (std::uint64_t n : counts.texts_of()) t.texts += static_cast<double>(n);
  return t;
}

/// c-TF-IDF, times the share of the cluster's texts with the term that the rest does not lead one to expect:
/// a word that is as common elsewhere says nothing, however often it stands here.
double Ctfidf::State::score(const TermCounts::Term& term, const TermCounts::Count& count,
                            const Totals& totals) const {
  const double here = static_cast<double>(counts.texts_of()[count.cluster]);
  const double elsewhere = totals.texts - here;
  const double share = count.texts / here;
  const double share_elsewhere = elsewhere > 0 ? (term.texts - count.texts) / elsewhere : 0;
  const double contrast = std::max(0.0, 1 - share_elsewhere / share);
  const double tf = count.texts / totals.words[count.cluster];
  return tf * std::log(1 + totals.mean_words / term.texts) * contrast * contrast;
}

std::vector<std::vector<Candidate>> Ctfidf::State::candidates() const {
  const Totals all = totals();
  std::vector<std::vector<Candidate>> found(counts.texts_of().size());
  for (const TermCounts::Shard& shard : counts.shards()) {
    for (const TermCounts::Count& c : shard.counts) {
      const TermCounts::Term& term = shard.terms[c.term];
      if (term.texts < options.min_count) continue;
      const double s = score(term, c, all);
      if (s > 0) found[c.cluster].push_back({{counts.display(term), s}, c.texts});
    }
  }
  for (auto& list : found) {
    const Index kept = std::min(list.size(), kCandidates * options.n_words);
    std::partial_sort(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(kept), list.end(), better);
    list.resize(kept);
  }
  return found;
}

Ctfidf::Ctfidf(Index n_clusters, CtfidfOptions options) {
  if (options.max_ngram < 1 || options.max_ngram > 2)
    throw Error(Fault::argument,
                "max_ngram is " + std::to_string(options.max_ngram) + "; allowed are 1 and 2");
  state_.reset(new State{options, TermCounts(n_clusters, options.max_ngram == 2, options.stop_words)});
}
Ctfidf::~Ctfidf() = default;
Ctfidf::Ctfidf(Ctfidf&&) noexcept = default;

void Ctfidf::add(const Texts& texts, const Label* labels, const Run& run) {
  state_->counts.add(texts, labels, run);
}

std::vector<std::vector<TopWord>> Ctfidf::top_words() const {
  std::vector<std::vector<TopWord>> out;
  for (const auto& list : state_->candidates()) {
    std::vector<RankedTerm> terms;
    for (const Candidate& c : list) terms.push_back({c.word.word, c.word.score, c.texts});
    out.emplace_back();
    for (RankedTerm& term : without_repeats(terms, state_->options.n_words))
      out.back().push_back({std::move(term.words), term.score});
  }
  return out;
}

}  // namespace shoal
