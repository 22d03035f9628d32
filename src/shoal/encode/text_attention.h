#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "shoal/core/layer_head.h"
#include "shoal/core/matrix.h"

namespace shoal {

/// How many layers a transformer has, and how many attention heads each of them.
struct HeadCounts {
  Index layers = 0, heads = 0;
};

/// Attention between the tokens of one text. The views hold during the call that gives them.
struct TextAttention {
  Index text = 0;                         ///< which of the texts
  std::span<const std::uint32_t> ids;     ///< n tokens, special ones too
  std::span<const std::uint32_t> begins;  ///< of each token: its first byte in the text
  std::span<const std::uint32_t> ends;  ///< and the one after its last; special ones, and a prompt's: 0 and 0
  bool cut = false;                     ///< the text has more tokens than the model takes
  /// Of each channel n x n probabilities: what token i gives to token j, a row summing up to 1.
  std::span<const float> weights;

  Index tokens() const { return ids.size(); }
  MatrixView channel(Index c) const {
    return {weights.data() + c * tokens() * tokens(), tokens(), tokens(), tokens()};
  }
};

/// Hears of each text once, from any thread, several at a time, in any order.
using TakeTextAttention = std::function<void(const TextAttention&)>;

/// The heads that a text names: "all", each by itself; "mean", of each layer the mean over its heads; or a
/// list such as "0.3,2.mean,4": head 3 of layer 0, the mean of layer 2, all heads of layer 4, counted from 0.
/// Error(argument) naming `option`, what is wrong and what there is.
std::vector<LayerHead> read_heads(std::string_view text, const HeadCounts& counts, std::string_view option);
/// "0.3,2.mean", as read_heads takes it.
std::string heads_text(std::span<const LayerHead> heads);

}  // namespace shoal
