#pragma once

#include <cstdint>
#include <filesystem>

#include "shoal/core/activation.h"
#include "shoal/core/matrix.h"

namespace shoal {

/// Families of encoders that share one forward pass and differ in names, positions and bias.
enum class Family : std::uint8_t { bert, roberta, distilbert, mpnet };

/// What config.json says, checked. Sizes as Hugging Face names them in BERT's config.
struct BertConfig {
  Family family = Family::bert;
  Index vocabulary = 0;
  Index hidden = 0;  ///< a multiple of heads
  Index layers = 0;
  Index heads = 0;
  Index inner = 0;            ///< intermediate_size
  Index types = 0;            ///< rows of the token type table; 0: none
  Index positions = 0;        ///< rows of the position table
  Index first_position = 0;   ///< of a text's first token: padding id + 1 in RoBERTa and MPNet
  std::uint32_t padding = 0;  ///< id that takes position first_position - 1, if first_position > 0
  Activation activation = Activation::gelu;
  float epsilon = 1e-12f;                                ///< of layer normalisation
  double hidden_dropout = 0.1, attention_dropout = 0.1;  ///< while it learns: shares of numbers, 0..1

  Index max_tokens() const { return positions - first_position; }
  Index head_size() const { return hidden / heads; }
};

/// Error(unsupported) by name for an architecture, activation or position type that shoal does not do;
/// Error(format) for a number outside its range; absent fields mean what they mean to transformers.
BertConfig read_transformer_config(const std::filesystem::path& path);

}  // namespace shoal
