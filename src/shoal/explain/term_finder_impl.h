#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "shoal/explain/key_table.h"
#include "shoal/explain/term_counts.h"
#include "shoal/tokenize/language.h"
#include "shoal/tokenize/stop_words.h"

namespace shoal {

inline constexpr Index kMostOfText = Index{1} << 20;  ///< bytes of a text that are looked at

/// The terms of a chunk of texts, each once a text, in order, dealt to the shards.
class TermFinder {
 public:
  /// A term found in a text.
  struct Found {
    std::uint64_t key, home, first, last;
    std::string_view name;  // a word as it stands there; empty for several
    std::uint32_t cluster;
    std::uint8_t form, n_words;
    std::uint32_t times = 1;  // it stands in the text
  };

  explicit TermFinder(const TermRules& rules) : found(TermCounts::kShards), rules_(rules) {}

  /// Before the next chunk.
  void clear();

  /// `language`: its place in known_languages(), their number if it is unknown.
  void take(std::string_view text, std::uint32_t cluster, Index language);

  std::vector<std::vector<Found>> found;  ///< a list a shard

 private:
  /// What a word counts as.
  struct Keys {
    std::uint64_t key = 0, singular = 0;  // the same but for a plural

    bool plural() const { return key != singular; }
  };

  /// What is known of a spelling, worked out once.
  struct Spelling : Keys {
    bool variant = false, usable = false;
    LanguageSet says_nothing;
  };

  struct ViewHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view s) const { return std::hash<std::string_view>()(s); }
  };

  using Known = std::unordered_map<std::string, Spelling, ViewHash, std::equal_to<>>;
  using Entry = Known::value_type;

  /// Stays where it is while the finder lives; null for what is too long to be a word.
  const Entry* look_up(std::string_view word);
  /// The terms of several different words that end with this one.
  void add_longer(const Keys& word, std::uint32_t cluster);
  void add_triple(const Keys& word, std::uint32_t cluster);
  void add(const Found& term);

  const TermRules rules_;
  const Index english_ =
      static_cast<Index>(std::ranges::find(known_languages(), "en") - known_languages().begin());
  std::vector<Keys> before_;            // the usable words that stand right before, as many as may be needed
  std::vector<std::uint64_t> plurals_;  // of the text: their singulars
  Known known_;
  KeyTable of_text_;
  std::vector<std::uint32_t>
      place_;  // of the text's terms, by their numbers in of_text_: where in their list
};

}  // namespace shoal
