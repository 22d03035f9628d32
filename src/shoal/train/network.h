#pragma once

#include <array>
#include <optional>
#include <span>
#include <vector>

#include "shoal/core/matrix.h"
#include "shoal/core/random.h"
#include "shoal/core/run.h"
#include "shoal/encode/bert_config.h"
#include "shoal/encode/weights.h"
#include "shoal/learn/parameters.h"
#include "shoal/linear/product.h"

namespace shoal {

/// Shares of numbers that are set to 0 while a network learns; the others grow, so that sums stay
/// (hidden_dropout_prob and attention_probs_dropout_prob of transformers). 0 <= share < 1.
struct NetworkDropout {
  double hidden = 0;     ///< of embeddings, and of what attention and the inner network give
  double attention = 0;  ///< of a token's attention to others
  Seed seed;             ///< of one step: a number is dropped by its place alone, whatever the threads
};

/// What the forward pass over a batch leaves for the backward pass: for each layer about 12 numbers of
/// `hidden` a token.
struct NetworkPass {
  struct Layer {
    Matrix in, query_key_value, context, attention_sum, middle, inner_before, outer_sum;
  };
  std::vector<std::uint32_t> ids, types;
  std::vector<Index> starts, places;  ///< first token of each text, and one more; position of each token
  Matrix embedding_sum;
  std::vector<Layer> layers;
  NetworkDropout dropout;
  bool keeps = true;  ///< false: nothing goes back, and all layers share the memory of one
};

/// The transformer of an encoder, with its weights as parameters: what BertNetwork is for use, for learning.
/// The same bits as BertNetwork without dropout, and for any number of threads: each number of a product is
/// one sum over its terms in order, and sums over tokens elsewhere are folded in the order of their chunks.
class TrainableNetwork {
 public:
  /// Adds all weights to `parameters` under their names in the folder, without the prefix of a task's model.
  /// Biases and norms do not decay. Errors as BertNetwork::load.
  static TrainableNetwork load(const BertConfig& config, Weights weights, Parameters& parameters);

  const BertConfig& config() const { return config_; }

  /// Takes over values that have changed: after load, and after each step. Copies all matrices once.
  void prepare(const Parameters& parameters, const Run& run);

  /// ids, starts and types as BertNetwork::forward has them. Returns tokens x hidden; `pass` gets what
  /// backward needs.
  Matrix forward(std::span<const std::uint32_t> ids, std::span<const Index> starts,
                 const Parameters& parameters, const NetworkDropout& dropout, NetworkPass& pass,
                 const Run& run, std::span<const std::uint32_t> types = {}) const;  // out: pass

  /// slope: of the loss by each number that forward gave, tokens x hidden; used up. Adds to the gradients.
  /// The parameters must be those of the forward pass.
  void backward(const NetworkPass& pass, Matrix slope, Parameters& parameters, const Run& run) const;

 private:
  struct Linear {
    Index weight = 0, bias = 0;  // places in the parameters
    Packed forward, back;
  };
  struct Norm {
    Index gamma = 0, beta = 0;
  };
  struct Layer {
    std::array<Linear, 3> parts;   // query, key, value
    Packed stacked, stacked_back;  // of the three together
    std::vector<float> stacked_bias;
    Linear output, inner, outer;
    Norm attention_norm, final_norm;
  };
  explicit TrainableNetwork(const BertConfig& config) : config_(config) {}

  Index add(Parameters& parameters, const Weights& weights, const std::string& name, Index rows, Index cols,
            bool decays) const;
  Norm add_norm(Parameters& parameters, const Weights& weights, const std::string& name) const;
  Linear add_linear(Parameters& parameters, const Weights& weights, const std::string& name, Index outputs,
                    Index inputs) const;
  Matrix embed(const Parameters& parameters, NetworkPass& pass, const Run& run) const;
  double dropped_share(const NetworkPass& pass, Index place) const;
  void attend(const NetworkPass& pass, MatrixView query_key_value, Index layer, MatrixSpan context,
              const Run& run) const;
  Matrix run_layer(Index number, Matrix states, const Parameters& parameters, NetworkPass& pass,
                   const Run& run) const;
  Matrix attend_back(const NetworkPass& pass, Index layer, MatrixView slope, Parameters& parameters,
                     const Run& run) const;
  Matrix layer_back(const NetworkPass& pass, Index number, Matrix slope, Parameters& parameters,
                    const Run& run) const;
  void embed_back(const NetworkPass& pass, Matrix slope, Parameters& parameters, const Run& run) const;
  /// Of MPNet: heads x (2 max_tokens - 1), as the table says; empty of others.
  Matrix distance_bias(const Parameters& parameters) const;

  BertConfig config_;
  Index words_ = 0, positions_ = 0;
  std::optional<Index> types_, relative_;
  Norm embedding_norm_;
  std::vector<Layer> layers_;
  Matrix bias_;
};

/// So many tokens that what the forward pass leaves for the backward pass takes about 512 MB; at least 1,024.
Index tokens_that_fit(const BertConfig& transformer);

}  // namespace shoal
