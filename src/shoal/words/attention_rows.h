#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "shoal/core/layer_head.h"
#include "shoal/core/matrix.h"
#include "shoal/core/texts.h"

namespace shoal {

/// Attention between the words of descriptions, as `shoal words prepare` keeps it: V words, D descriptions,
/// description d with n(d) distinct words of the vocabulary. A number is what one word gives another:
/// the mean over the source's tokens, the sum over the target's; of several places of a word the mean over
/// the source's, the sum over the target's. What goes to anything else (special tokens, punctuation, stop
/// words) is left out, and the rest is not scaled up. The spans are views of memory that `owner` keeps.
struct AttentionRows {
  Texts words;  ///< V of them, lower-cased lemmas or terms (which may have spaces), in order of id
  std::vector<std::uint64_t> frequency;   ///< of each word: in how many descriptions it stands, at any place
  Texts forms;                            ///< other ways of writing words ("cards")
  std::vector<std::uint32_t> form_words;  ///< of each form: the id of its word
  bool old_version = false;               ///< from a file of an earlier version, which has no forms

  std::span<const std::uint64_t> offsets;  ///< D + 1, into `members`
  /// Ids of words. The first of each description is its head word, the others are distinct, and come in the
  /// order in which they first stand there.
  std::span<const std::uint32_t> members;

  /// The (layer, head) pairs of `head_from` and `head_to`: C1 of them.
  std::vector<LayerHead> head_channels;
  /// Half floats, members.size() x C1. Row of member j >= 1: attention of the description's head word to it,
  /// and of it to the head word. Zeros in the row of member 0.
  std::span<const std::uint16_t> head_from, head_to;

  /// The (layer, head) pairs of `pairs`: C2 of them; none: `pairs` is empty.
  std::vector<LayerHead> pair_channels;
  /// Half floats, for each description n(d) x n(d) x C2. Row i, column j: attention of member i to member j.
  /// Zeros on the diagonal.
  std::span<const std::uint16_t> pairs;
  std::vector<std::uint64_t> pair_offsets;  ///< D + 1, into `pairs`

  std::string space;  ///< id of the encoder's space: "NAME@HASH"
  std::shared_ptr<const void> owner;

  Index descriptions() const { return offsets.empty() ? 0 : offsets.size() - 1; }
  std::span<const std::uint32_t> description(Index d) const {
    return members.subspan(offsets[d], offsets[d + 1] - offsets[d]);
  }
};

}  // namespace shoal
