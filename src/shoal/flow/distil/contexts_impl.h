#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "shoal/encode/static_tokenizer.h"
#include "shoal/encode/token_states.h"
#include "shoal/store/archive/archive.h"

namespace shoal {

/// A token of the new tokenizer in a text, and the tokens [first, last) of the model's that it covers.
struct Place {
  std::uint32_t token = 0;
  Index first = 0, last = 0;
};

/// Where the tokens `now` of a text stand among `before`, its tokens under the tokenizer without the corpus'
/// words: by the letters that they cover. `tokens` knows all of them. A token that begins or ends within one
/// of `before` is left out, and so is the rest of a text from where its letters do not agree.
std::vector<Place> align(const StaticTokenizer& tokens, std::span<const std::uint32_t> before,
                         std::span<const std::uint32_t> now);

/// Sums of the states of tokens over texts.
class Contexts {
 public:
  Contexts(Index tokens, Index dims) : dims_(dims), slots_(tokens, kNone), times_(tokens) {}

  /// Texts [first, first + count): all of them, or none where it throws Error(cancelled).
  void add(const Texts& texts, Index first, Index count, const TokenStates& model,
           const StaticTokenizer& tokens, const Tokenizer& before, const Tokenizer& now, const Run& run);
  const std::vector<std::int64_t>& times() const { return times_; }  ///< how often each token was seen
  void mean(Index token, std::span<float> row) const;

  void save(ArchiveWriter& out) const;
  /// Error(format) if it is of another size, or times and sums are not of the same tokens; nothing changes.
  void load(const ArchiveReader& in);

 private:
  static constexpr std::int32_t kNone = -1;
  Index dims_;
  std::vector<std::int32_t> slots_;  // where a token's sum is: memory for those that occur
  std::vector<std::int64_t> times_;
  std::vector<double> sums_;
};

}  // namespace shoal
