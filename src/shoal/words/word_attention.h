#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "shoal/core/matrix.h"
#include "shoal/encode/text_attention.h"
#include "shoal/words/described_words.h"

namespace shoal {

/// What a head word's attention goes to.
enum class Receiver : std::uint8_t { first, last, punctuation, stop_words, other_words, itself, words };
inline constexpr Index kReceivers = 7;
inline constexpr std::array<std::string_view, kReceivers> kReceiverNames = {
    "special tokens before the text",  // [CLS]
    "special tokens after the text",   // [SEP]
    "punctuation and numbers",
    "stop words",
    "words outside the vocabulary",
    "the word itself",
    "words"};

/// The words of one description among its tokens.
struct DescriptionTokens {
  std::vector<std::uint32_t> members;  ///< distinct words, the head first, the others as they come
  /// A place of a member: its tokens [first, last).
  struct Place {
    std::uint32_t member = 0, first = 0, last = 0;
  };
  std::vector<Place> places;
  std::vector<Receiver> receivers;  ///< of each token, as the head's attention sees it

  Index head_tokens = 0;  ///< of the head word; 0: the model does not see it
};

/// Finds the tokens of a description's words: those whose bytes overlap the word's, each of the first such
/// word. Words that the model does not see are no members. begins, ends: as in TextAttention; before, after:
/// how many special tokens stand around.
DescriptionTokens find_tokens(std::span<const WordStretch> stretches, std::uint32_t head,
                              std::span<const std::uint32_t> begins, std::span<const std::uint32_t> ends,
                              Index before, Index after);

/// Which channels of a TextAttention are asked for.
struct ChannelPlaces {
  std::vector<Index> head, pairs;
};

/// Attention between words, of that between tokens: the mean over the source's tokens and places, the sum
/// over the target's. n members. from, to: n x channels.head.size(), the row of the head zeros. pairs: n x n
/// x channels.pairs.size(), zeros on the diagonal. shares: channels.head.size() x kReceivers, of the head's
/// attention; each row sums up to 1. All out.
void merge_tokens(const TextAttention& attention, const DescriptionTokens& tokens,
                  const ChannelPlaces& channels, std::span<float> from, std::span<float> to,
                  std::span<float> pairs, std::span<double> shares);

}  // namespace shoal
