#pragma once

#include <optional>
#include <span>
#include <vector>

#include "shoal/core/matrix.h"
#include "shoal/encode/attention.h"
#include "shoal/encode/transformer_config.h"
#include "shoal/encode/weights.h"
#include "shoal/linear/product.h"

namespace shoal {

/// Scale and shift of a layer normalisation.
struct Norm {
  std::vector<float> gamma, beta;
};

/// A matrix and what is added to its product.
struct Linear {
  Packed weight;
  std::vector<float> bias;
};

/// One layer: attention and a network of one hidden layer, each with a residual and a normalisation.
struct TransformerLayer {
  Linear query_key_value;  ///< the three matrices stacked: one product
  Linear output;
  Norm attention_norm;
  Linear inner, outer;
  Norm final_norm;
};

/// Memory for `Transformer::forward`, one a thread; grows to the largest piece.
struct TransformerScratch {
  Matrix states, query_key_value, context, sum, inner;
  AttentionScratch attention;
};

/// The forward pass of BERT, RoBERTa, DistilBERT and MPNet over texts without padding: the tokens of many
/// texts are rows of one matrix for everything but attention, which runs text by text. A token's result
/// depends on its own text alone, bit for bit.
class Transformer {
 public:
  /// Error(format) naming file and tensor if a weight is missing or has another shape than the config says.
  static Transformer load(const TransformerConfig& config, Weights weights);

  const TransformerConfig& config() const { return config_; }

  /// ids: tokens of texts one after another, each below config().vocabulary; text i has
  /// [starts[i], starts[i + 1]), at most config().max_tokens(). Returns tokens x hidden in `scratch`.
  MatrixView forward(std::span<const std::uint32_t> ids, std::span<const Index> starts,
                     TransformerScratch& scratch) const;

 private:
  explicit Transformer(const TransformerConfig& config) : config_(config) {}
  void embed(std::span<const std::uint32_t> ids, std::span<const Index> starts, MatrixSpan states) const;
  void run(const TransformerLayer& layer, std::span<const Index> starts, MatrixSpan states,
           TransformerScratch& scratch) const;

  TransformerConfig config_;
  std::optional<TensorTable> words_;
  Matrix positions_;  ///< with the vector of token type 0 already added
  Norm embedding_norm_;
  std::vector<TransformerLayer> layers_;
  std::optional<Matrix> bias_;  ///< of MPNet: heads x (2 * max_tokens - 1)
};

}  // namespace shoal
