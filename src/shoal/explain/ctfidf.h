#pragma once

#include <memory>
#include <string>
#include <vector>

#include "shoal/core/fields.h"
#include "shoal/core/labels.h"
#include "shoal/core/run.h"
#include "shoal/core/texts.h"
#include "shoal/tokenize/language.h"

namespace shoal {

struct CtfidfOptions {
  Index n_words = 10;             ///< words a cluster
  Index max_ngram = 2;            ///< 1: words only, 2: also pairs, 3: also triples
  Index min_count = 3;            ///< a word must stand in at least so many texts of all
  bool stop_words = true;         ///< leave out function words, and what is spread evenly over all clusters
  std::string language = "auto";  ///< of the texts, ISO 639-1; auto: of each text, as it is detected
  bool keep_markup = false;       ///< count HTML tags, entities, addresses and code too
  bool keep_numbers = false;      ///< count numbers too
  std::vector<std::string> more_stop_words = {};  ///< leave out these too, singular and plural
  bool bm25 =
      false;  ///< log(1 + (A - f + 1/2) / (f + 1/2)) instead of log(1 + A / f): frequent words count less
  bool reduce_frequent_words = false;  ///< the root of tf instead of tf
};
template <class V>
void fields(CtfidfOptions& o, V&& visit) {
  visit("n_words", o.n_words, "words for each cluster");
  visit("max_ngram", o.max_ngram, "most words that stand together", between(1, 3));
  visit("min_count", o.min_count, "only words that stand in at least so many texts of all");
  visit("stop_words", o.stop_words, "leave out function words and what stands evenly in all clusters");
  visit("language", o.language, "language of the texts, such as ru; auto: found for each text");
  visit("keep_markup", o.keep_markup, "also words of HTML tags, entities, addresses and code");
  visit("keep_numbers", o.keep_numbers, "also numbers");
  visit("bm25", o.bm25, "weigh rarity as BM25 does: frequent words count less");
  visit("reduce_frequent_words", o.reduce_frequent_words, "the root of a word's share, not the share");
}

struct TopWord {
  std::string word;
  double score = 0;
};

/// Counts words of texts as they stream by, then ranks them: class-based TF-IDF (Grootendorst,
/// arXiv:2203.05794): tf (share of the cluster's words) x log(1 + A / f), A mean words a cluster, f the
/// word's count over all; each word once a text. A word and its plural are one where both stand in the texts
/// and are spread over the clusters alike (news is not new). Function words are those of each text's
/// language. `bm25` and `reduce_frequent_words` are BERTopic's variants of the two factors; a word whose
/// factor is not above 0 is left out. Times (1 - q / p)^2 for a word in the share p of the cluster's texts
/// and q < p of all others, so that what is said everywhere names nothing. With `stop_words`, also words that
/// surely stand alike in most clusters are left out, in any language: in none, even if chance took some from
/// it, could their share be twice that elsewhere. The result depends on the rows and their order, not on
/// threads or on how `add` was cut. Memory is bounded, whatever the texts: above six million words, pairs and
/// counts of one in a cluster (about 400 MB, 700 if nearly every word is new) the rarest are forgotten, and
/// of a text longer than a megabyte the first counts. 26 MB of text take about two seconds.
class Ctfidf {
 public:
  /// `expected`: the languages of the texts, as `sample_languages` finds them; they decide for texts too
  /// short to tell. Error(argument) unless max_ngram is 1, 2 or 3 and the language auto or one of
  /// known_languages().
  Ctfidf(Index n_clusters, CtfidfOptions options = {}, std::vector<LanguageCount> expected = {});
  ~Ctfidf();
  Ctfidf(Ctfidf&&) noexcept;
  /// Texts of rows [0, size) with their labels; kNoise is passed over. May be called many times.
  /// Error(argument) naming the row if a label is out of range.
  void add(const Texts& texts, const Label* labels, const Run& run);
  /// For each cluster its best words, best first; no two share a word or a stem. Ties alphabetically.
  std::vector<std::vector<TopWord>> top_words() const;
  /// The same for groups of clusters, as if the texts had been added with the labels groups.of[cluster].
  /// Error(argument) unless each cluster has a group.
  std::vector<std::vector<TopWord>> top_words(const Labels& groups) const;
  /// For each cluster its `n` best key phrases, pairs and triples alone, best first. None is part of another,
  /// and one that mostly stands in a longer one gives its place to it; else they may share words. Ties
  /// alphabetically.
  std::vector<std::vector<TopWord>> top_phrases(Index n) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// A short name from ranked words: at most three, joined by " · "; words that share one with an earlier one,
/// or its stem, are left out.
std::string cluster_name(const std::vector<TopWord>& words);

}  // namespace shoal
