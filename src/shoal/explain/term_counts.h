#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "shoal/core/labels.h"
#include "shoal/core/run.h"
#include "shoal/core/texts.h"
#include "shoal/explain/key_table.h"
#include "shoal/tokenize/language.h"

namespace shoal {

/// Which words are counted.
struct TermRules {
  Index max_ngram = 2;        ///< 1: words; 2: also pairs; 3: also triples of neighbouring words
  bool stop_words = true;     ///< leave out function words of the text's language
  bool markup = false;        ///< count tags, entities, addresses and code too
  bool numbers = false;       ///< count words without a letter too
  std::string language = {};  ///< of all texts, ISO 639-1; empty: each text's own
  std::vector<LanguageCount> expected = {};  ///< the languages that the texts have, as far as is known
  std::set<std::string, std::less<>> left_out = {};  ///< further words to leave out
};

/// A word, and what it may be the plural of by its ending, if anything.
std::vector<std::string> word_and_singular(std::string_view word);

class TermFinder;

/// In how many texts of each cluster each word, and each pair or triple of neighbouring words, stands. A word
/// and what may be its plural (w and ws, wes; -y and -ies) are counted apart, with the texts that hold both,
/// so that `merged` can join them if the texts use them alike. Memory is bounded: past `most_held` terms and
/// counts together the rarest terms are forgotten until half as many are left. Which ones depends on the rows
/// seen, not on threads or on how the rows were cut into calls. Of a text longer than a megabyte the first
/// counts.
class TermCounts {
 public:
  struct Term {
    std::uint64_t key = 0;
    /// Of several words: the keys of all but the last and of the last. Of a plural: of what may be its
    /// singular.
    std::uint64_t first = 0, last = 0;
    std::uint32_t name = 0;   ///< a word: which of the shard's names
    std::uint32_t texts = 0;  ///< texts that hold it
    std::uint32_t votes = 0;  ///< majority vote on `form` (Boyer and Moore)
    std::uint8_t form =
        0;  ///< of several words, bit i: its word i is mostly plural; of one: 1 is the variant
    std::uint8_t n_words = 1;  ///< 0: of a word and its plural, the texts that hold both
  };
  struct Count {
    std::uint32_t term = 0;
    std::uint32_t cluster : 24 = 0;
    std::uint32_t forms : 8 = 0;  ///< bit f: form f stands in the cluster
    std::uint32_t texts = 0;
  };
  /// A word as it stands in the texts: without what people write now and then (plain_form), and with it.
  struct Name {
    std::string plain, variant;
  };
  struct Shard {
    KeyTable term_of, count_of;
    std::vector<Term> terms;
    std::vector<Count> counts;
    std::vector<Name> names;
  };
  /// A term in a group of clusters, joined with its plural where both are one word.
  struct Merged {
    std::uint32_t term = 0, group = 0;  ///< the form that more of the group's texts hold
    std::uint32_t head = 0;             ///< a number for all forms of the term in all groups
    std::uint32_t texts = 0;            ///< of the group
    std::uint32_t all_texts = 0;        ///< of all groups
    std::uint8_t forms = 0;
  };

  static constexpr Index kMostHeld = Index{6} << 20;  // about 400 MB
  static constexpr Index kMostClusters = Index{1} << 24;

  /// Error(argument) for more than kMostClusters.
  TermCounts(Index n_clusters, TermRules rules, Index most_held = kMostHeld);
  ~TermCounts();
  TermCounts(TermCounts&&) noexcept;
  void add(const Texts& texts, const Label* labels, const Run& run);

  const std::vector<Shard>& shards() const { return shards_; }
  /// A shard's terms in each group, groups.of[cluster], those of one term together.
  static std::vector<Merged> merged(const Shard& shard, const Labels& groups);
  const std::vector<std::uint64_t>& texts_of() const { return texts_of_; }  ///< texts a cluster
  /// The term's words, parted by one blank, in a form that stands in the group; empty if a word was
  /// forgotten.
  std::string display(const Term& term, std::uint8_t forms) const;
  /// The keys of the term's words: of a plural that of its singular.
  std::vector<std::uint64_t> words_of(const Term& term) const;

  static constexpr Index kShards = 16;

 private:
  void add_segment(const Texts& texts, const Label* labels, Index first, Index last, const Run& run);
  void forget_rare(const Run& run);
  const Term* find_term(std::uint64_t key, std::uint64_t home) const;
  std::string of_several(const Term& term, std::uint8_t form) const;
  std::string of_word(std::uint64_t singular, bool plural) const;

  Index n_clusters_, most_held_;
  TermRules rules_;
  std::vector<Shard> shards_;
  std::vector<std::uint64_t> texts_of_;
  std::vector<TermFinder> finders_;  // one a chunk of a segment; what they know of words is kept
  Index rows_ = 0, bytes_ = 0;       // seen in all calls
};

}  // namespace shoal
