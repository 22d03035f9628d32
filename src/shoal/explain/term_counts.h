#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "shoal/core/labels.h"
#include "shoal/core/run.h"
#include "shoal/core/texts.h"
#include "shoal/explain/key_table.h"

namespace shoal {

/// Which words are counted.
struct TermRules {
  Index max_ngram = 2;     ///< 1: words; 2: also pairs; 3: also triples of neighbouring words
  bool stop_words = true;  ///< leave out English function words
  std::set<std::string, std::less<>> left_out = {};  ///< singulars of further words to leave out
};

/// In how many texts of each cluster each word, and each pair or triple of neighbouring words, stands.
/// Singular and plural are one word. Memory is bounded: past `most_held` terms and counts together the rarest
/// terms are forgotten until half as many are left. Which ones depends on the rows seen, not on threads or on
/// how the rows were cut into calls. Of a text longer than a megabyte the first counts.
class TermCounts {
 public:
  struct Term {
    std::uint64_t key = 0;
    std::uint64_t first = 0, last = 0;  ///< of several words: the keys of all but the last and of the last
    std::uint32_t name = 0;             ///< a word: which of the shard's names
    std::uint32_t texts = 0;            ///< texts that hold it
    std::uint32_t votes = 0;            ///< majority vote on `form` (Boyer and Moore)
    std::uint8_t form = 0;              ///< bit i: its word i is mostly plural
    std::uint8_t n_words = 1;
  };
  struct Count {
    std::uint32_t term = 0, cluster = 0, texts = 0;
  };
  struct Name {
    std::string singular, plural;
  };
  struct Shard {
    KeyTable term_of, count_of;
    std::vector<Term> terms;
    std::vector<Count> counts;
    std::vector<Name> names;
  };

  static constexpr Index kMostHeld = Index{6} << 20;  // about 400 MB

  TermCounts(Index n_clusters, TermRules rules, Index most_held = kMostHeld);
  void add(const Texts& texts, const Label* labels, const Run& run);

  const std::vector<Shard>& shards() const { return shards_; }
  /// A shard's counts summed over the clusters of each group, groups.of[cluster]; `cluster` is then the
  /// group.
  static std::vector<Count> by_group(const Shard& shard, const Labels& groups);
  const std::vector<std::uint64_t>& texts_of() const { return texts_of_; }  ///< texts a cluster
  std::string display(const Term& term) const;

  static constexpr Index kShards = 16;

 private:
  void add_segment(const Texts& texts, const Label* labels, Index first, Index last, const Run& run);
  void forget_rare(const Run& run);
  const Term& term_of(std::uint64_t key) const;
  std::string display(const Term& term, std::uint8_t form) const;

  Index n_clusters_, most_held_;
  TermRules rules_;
  std::vector<Shard> shards_;
  std::vector<std::uint64_t> texts_of_;
  Index rows_ = 0, bytes_ = 0;  // seen in all calls
};

}  // namespace shoal
