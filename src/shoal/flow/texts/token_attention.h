#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "shoal/core/fields.h"
#include "shoal/core/run.h"
#include "shoal/encode/encoder.h"
#include "shoal/read/source.h"

namespace shoal {

enum class AttentionType : std::uint8_t { float32, float16 };
constexpr auto names_of(AttentionType) { return std::array{"float32", "float16"}; }

struct TokenAttentionOptions {
  std::string heads = "all";  ///< read_heads
  AttentionType type = AttentionType::float32;
};
template <class V>
void fields(TokenAttentionOptions& o, V&& visit) {
  visit("attention_heads", o.heads,
        "heads of --attention: all, each by itself; mean, of each layer; or a list such as 0.3,2.mean,4 "
        "(LAYER.HEAD, LAYER.mean, LAYER), counted from 0");
  visit("attention_type", o.type, "how the numbers of --attention are written");
}

struct TokenAttentionReport {
  Index texts = 0, tokens = 0, numbers = 0;
  Index cut = 0;  ///< texts that were truncated
  std::vector<LayerHead> heads;
  bool done_before = false;  ///< `out` was there, made from the same texts with the same options
};

/// Writes the attention between the tokens of every text of `source` as safetensors, metadata kind
/// "attention" and heads "0.0,0.1,...": C heads, N texts, text i of n(i) tokens.
///   tokens          U32 [T]      ids, special ones too; those of text i are [token_offsets[i],
///   token_offsets[i + 1]) token_offsets   U64 [N + 1] places          U32 [T, 2]   the characters (code
///   points) [begin, end) of the text that a token stands for;
///                                0, 0 for special ones
///   weights         F32 or F16   of text i the numbers [weight_offsets[i], weight_offsets[i + 1]), a block
///   of
///                                C x n(i) x n(i): what a token (row) gives to each (column), summing up to 1
///   weight_offsets  U64 [N + 1]
/// Memory: the texts, and about 64 MB or one text's numbers. `out` appears whole, with a receipt.
/// Error(argument) if it exists, is anything else and not to be overwritten; others as Source and
/// Encoder::attention. Steps "read", "attention".
TokenAttentionReport write_token_attention(Source& source, const Encoder& encoder,
                                           const EncodeOptions& encode, const TokenAttentionOptions& options,
                                           const std::filesystem::path& out, bool overwrite, const Run& run);

}  // namespace shoal
