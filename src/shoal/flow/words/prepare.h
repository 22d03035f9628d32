#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include "shoal/core/fields.h"
#include "shoal/core/run.h"
#include "shoal/encode/encoder.h"
#include "shoal/flow/words/read_descriptions.h"
#include "shoal/words/described_words.h"
#include "shoal/words/word_attention.h"

namespace shoal {

/// What `words prepare` may be told.
struct PrepareOptions {
  DescriptionOptions descriptions;
  VocabularyOptions vocabulary;
  std::string heads = "all";   ///< of the head word's attention: read_heads, or "none"
  std::string pairs = "mean";  ///< of the attention of all words
  EncodeOptions encode;
  std::filesystem::path out;  ///< .safetensors
  bool overwrite = false;
};
template <class V>
void fields(PrepareOptions& o, V&& visit) {
  visit(
      "heads", o.heads,
      "attention heads kept of the head word, from it and to it: all, mean (of each layer), none, or a list "
      "such as 1.9,2.mean,4 (LAYER.HEAD, LAYER.mean, LAYER)");
  visit("pairs", o.pairs, "the same of the attention between all words of a description");
}

struct PrepareReport {
  bool done_before = false;
  Index resumed = 0;  ///< descriptions that an earlier, interrupted run had done
  DescriptionReport cleaning;
  VocabularyReport vocabulary;
  Counted unknown;                 ///< left out: the model's tokenizer knows nothing of the head word
  Counted cut_off;                 ///< left out: the head word stands behind what the model sees
  Counted alone;                   ///< left out: no other word of the vocabulary is in them
  Counted truncated;               ///< the model sees only their beginning
  std::string language;            ///< of the stop words; "none"
  Index words = 0, described = 0;  ///< of the vocabulary; those of them that are head words
  Index forms = 0;                 ///< other ways of writing its words
  Index descriptions = 0, members = 0, pairs = 0, tokens = 0;
  std::vector<LayerHead> head_channels, pair_channels;
  std::vector<Index> layers;                           ///< of head_channels
  std::vector<std::array<double, kReceivers>> shares;  ///< of each of these layers
  std::uint64_t bytes = 0;                             ///< of the file
  std::string space;
};

/// Reads descriptions, runs the encoder over them and writes the attention between their words to options.out
/// (attention_file.h). What is done is kept in OUT.part.safetensors and OUT.part.json, and the same call goes
/// on from there, to the same bytes; a finished file has a receipt. Memory: the descriptions, and a few
/// hundred megabytes. Error(argument) if `out` exists, is anything else and not to be overwritten; others as
/// read_descriptions, describe_words and Encoder::attention. Steps "read", "words", "tokens", "attention".
PrepareReport prepare_words(const Encoder& encoder, const PrepareOptions& options, const Run& run);

}  // namespace shoal
