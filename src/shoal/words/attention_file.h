#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "shoal/core/texts.h"
#include "shoal/store/archive/archive_file.h"
#include "shoal/words/attention_rows.h"

namespace shoal {

/// The file of an AttentionRows, as `shoal words prepare` writes it: safetensors, metadata kind "word
/// attention", heads "0.0,0.1,..." and pairs "0.mean,..." (heads_text), space, options, report. Tensors:
///   words, word_ends              U8, U64 [V]: word i is bytes [word_ends[i - 1], word_ends[i]) of words
///   frequency                     U64 [V]
///   forms, form_ends, form_words  U8, U64 [F], U32 [F]: as in AttentionRows; files of earlier versions have
///                                 none of the three
///   offsets, members              U64 [D + 1], U32 [M]: as in AttentionRows
///   head_from, head_to            F16 [M, C1]
///   pairs                         F16 [P, C2]: P is the sum of all n(d)^2
///   texts, text_ends              U8, U64 [D]: the descriptions as the model read them
///   shares                        F64 [layers of head_channels, 7]: what part of a head word's attention
///   goes to
///                                 what (kReceiverNames), the mean over the layer's channels and all
///                                 descriptions
inline constexpr std::string_view kWordAttention = "word attention";

/// The tensors of such a file.
std::vector<TensorPlan> attention_plan(Index words, Index word_bytes, Index forms, Index form_bytes,
                                       Index descriptions, Index text_bytes, Index members, Index pairs,
                                       Index head_channels, Index pair_channels, Index layers);

/// Opens one; the large tensors are mapped. Error(file), Error(format) naming what does not fit.
AttentionRows open_attention_rows(const std::filesystem::path& path);
/// The descriptions in it. Memory: all of them.
Texts description_texts(const std::filesystem::path& path);

}  // namespace shoal
