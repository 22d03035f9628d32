#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "shoal/core/matrix.h"
#include "shoal/explain/term_counts.h"

namespace shoal {

/// In how many of the texts that were counted a term stands.
struct TermTexts {
  std::uint64_t key = 0;  ///< the same as TermFrequencies gives for it
  Index texts = 0;
  std::string term;  ///< its words as the texts write them, parted by one blank
};

/// All terms of `counts` that are held, a word and its plural as one; most frequent first, ties by key.
std::vector<TermTexts> texts_of_terms(const TermCounts& counts);

/// The terms of single texts, found as TermCounts finds them, with how often each stands there. For one
/// thread.
class TermFrequencies {
 public:
  explicit TermFrequencies(const TermRules& rules);
  ~TermFrequencies();
  TermFrequencies(TermFrequencies&&) noexcept;

  struct Frequency {
    std::uint64_t key = 0;
    std::uint32_t times = 0;
    bool operator==(const Frequency&) const = default;
  };
  /// By key, each once; a plural counts as its singular. Valid until the next call.
  const std::vector<Frequency>& of(std::string_view text);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace shoal
