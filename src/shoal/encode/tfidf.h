#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "shoal/core/fields.h"
#include "shoal/core/matrix.h"
#include "shoal/core/random.h"
#include "shoal/core/run.h"
#include "shoal/core/stage.h"
#include "shoal/core/texts.h"

namespace shoal {

/// Goes through all texts, batch by batch: the same ones in the same order each time that it is called.
using TextPasses = std::function<void(const std::function<void(const Texts& batch)>& take)>;

struct TfidfOptions {
  Index ngrams = 1;          ///< 1: words; 2: also pairs of neighbouring words; 3: also triples
  Index min_texts = 2;       ///< a term counts if so many texts hold it
  Index max_terms = 50'000;  ///< the terms that most texts hold
  Index tfidf_dims = 256;    ///< numbers of a vector, at most
  bool stop_words = true;    ///< leave out function words of the text's language
  Seed seed{42};
};
template <class V>
void fields(TfidfOptions& o, V&& visit) {
  visit("ngrams", o.ngrams, "terms of tfidf: 1: words; 2: also pairs of neighbouring words; 3: also triples",
        between(1, 3));
  visit("min_texts", o.min_texts, "a term of tfidf must stand in so many texts", at_least(1));
  visit("max_terms", o.max_terms, "most terms of tfidf: those that most texts hold", between(1, 1'000'000));
  visit("tfidf_dims", o.tfidf_dims, "numbers that the SVD of tfidf keeps", between(1, 1024));
  visit("stop_words", o.stop_words, "leave function words out of tfidf");
  visit("seed", o.seed, "start of all randomness");
}

/// Words as vectors (latent semantic analysis; Deerwester et al. 1990): of each term that a text holds
/// (1 + ln times) (1 + ln((1 + texts) / (1 + texts that hold it))), scaled to length 1, times the right
/// singular vectors of those of the texts it was fitted on, scaled to length 1 again: scikit-learn's
/// TfidfVectorizer(sublinear_tf=True), TruncatedSVD and Normalizer. Words are those that name clusters
/// (TermCounts): lower case, a plural as its singular. A text without any term known has the zero vector.
class Tfidf {
 public:
  using Options = TfidfOptions;
  static constexpr std::string_view kind = "tfidf";

  /// Reads the texts twice. Which terms there are comes from all of them; the SVD from at most 100,000 texts
  /// with 2^25 terms together, every 2nd, 4th, 8th and so on if there are more. Memory: what TermCounts
  /// holds, 300 MB of the sample, 8 bytes x terms x dims. Error(data) if no term stands in min_texts texts.
  /// Steps "words", "svd".
  static Tfidf fit(const TextPasses& texts, const Options& options, const Run& run = {});

  /// Texts [first, first + count) -> count x dims(). `unknown`, if given, gets 1 for each text without a
  /// known term, of count.
  Matrix encode(const Texts& texts, Index first, Index count, const Run& run,
                std::vector<std::uint8_t>* unknown = nullptr) const;

  Index dims() const;                              ///< at most options().tfidf_dims
  Index texts() const;                             ///< it was fitted on
  const std::vector<std::string>& terms() const&;  ///< for people: each as the texts write it
  const std::vector<float>& idf() const&;          ///< of each term
  const Matrix& components() const&;               ///< terms x dims
  const Options& options() const& { return options_; }
  Options options() && { return std::move(options_); }

  void save(ArchiveWriter& out) const;
  /// Error(format) if the file does not hold one, whole.
  static Tfidf load(const ArchiveReader& in);

 private:
  struct State;
  Tfidf() = default;
  Options options_;
  std::shared_ptr<const State> state_;  // copies share it
};
static_assert(Stage<Tfidf>);

}  // namespace shoal
