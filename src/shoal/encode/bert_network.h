#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "shoal/core/matrix.h"
#include "shoal/encode/attention.h"
#include "shoal/encode/bert_config.h"
#include "shoal/encode/weights.h"
#include "shoal/linear/product.h"

namespace shoal {

/// Scale and shift of a layer normalisation.
struct LayerNorm {
  std::vector<float> gamma, beta;
};

/// A matrix and what is added to its product.
struct LinearLayer {
  Packed weight;
  std::vector<float> bias;
};

/// One layer: attention and a network of one hidden layer, each with a residual and a normalisation.
struct BertLayer {
  LinearLayer query_key_value;  ///< the three matrices stacked: one product
  LinearLayer output;
  LayerNorm attention_norm;
  LinearLayer inner, outer;
  LayerNorm final_norm;
};

/// Memory for `BertNetwork::forward`, one a thread; grows to the largest piece.
struct BertScratch {
  Matrix states, query_key_value, context, sum, inner;
  AttentionScratch attention;
};

/// The forward pass of BERT, RoBERTa, DistilBERT and MPNet over texts without padding: the tokens of many
/// texts are rows of one matrix for everything but attention, which runs text by text. A token's result
/// depends on its own text alone, bit for bit.
class BertNetwork {
 public:
  /// Error(format) naming file and tensor if a weight is missing or has another shape than the config says.
  static BertNetwork load(const BertConfig& config, Weights weights);

  const BertConfig& config() const { return config_; }

  /// ids: tokens of texts one after another, each below config().vocabulary; text i has
  /// [starts[i], starts[i + 1]), at most config().max_tokens(). types: of each token its type (segment),
  /// below config().types; empty: all 0, as in every text that is no pair. Returns tokens x hidden in
  /// `scratch`.
  MatrixView forward(std::span<const std::uint32_t> ids, std::span<const Index> starts, BertScratch& scratch,
                     std::span<const std::uint32_t> types = {}) const;

  /// Takes what a head of a layer gives for the queries first, first + 1, ... of a text (TakeScores).
  using TakeAttention =
      std::function<void(Index layer, Index text, Index head, Index first, MatrixView scores)>;
  /// The attention of the first `layers` layers, at most config().layers; nothing behind it is computed.
  /// ids, starts as in `forward`. `take` is called layer by layer, text by text, head by head, block by
  /// block.
  void attention(std::span<const std::uint32_t> ids, std::span<const Index> starts, Index layers,
                 const TakeAttention& take, BertScratch& scratch) const;

 private:
  explicit BertNetwork(const BertConfig& config) : config_(config) {}
  void embed(std::span<const std::uint32_t> ids, std::span<const Index> starts,
             std::span<const std::uint32_t> types, MatrixSpan states) const;
  void run(const BertLayer& layer, std::span<const Index> starts, MatrixSpan states,
           BertScratch& scratch) const;
  void attend_all(const BertLayer& layer, std::span<const Index> starts, MatrixView states,
                  BertScratch& scratch, MatrixSpan context,
                  const std::function<TakeScores(Index text)>* take) const;
  void finish(const BertLayer& layer, MatrixView context, MatrixSpan states, BertScratch& scratch) const;

  BertConfig config_;
  std::optional<TensorTable> words_;
  Matrix positions_;  ///< with the vector of token type 0 already added
  Matrix types_;      ///< types x hidden: each type's vector without that of type 0
  LayerNorm embedding_norm_;
  std::vector<BertLayer> layers_;
  std::optional<Matrix> bias_;  ///< of MPNet: heads x (2 * max_tokens - 1)
};

}  // namespace shoal
