#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <vector>

#include "shoal/core/matrix.h"
#include "shoal/core/run.h"
#include "shoal/core/texts.h"
#include "shoal/encode/model_folder.h"
#include "shoal/learn/parameters.h"
#include "shoal/tokenize/tokenizer.h"
#include "shoal/train/network.h"
#include "shoal/train/table.h"

namespace shoal {

/// The small files of what TrainableEncoder::load reads. Errors as that.
ModelFolder read_trainable_folder(const std::filesystem::path& folder, const Run& run);

/// What a forward pass of TrainableEncoder leaves for the backward pass.
struct EncoderPass {
  NetworkPass network;  ///< of a static model ids and starts alone
  Matrix states;        ///< tokens x hidden
  std::vector<Matrix> read,
      before;  ///< of each step after the pooling: its input; of dense before activation
};

/// A sentence encoder that learns: what Encoder is for use. Its weights are `parameters`, under their names
/// in the folder ("encoder.layer.0.attention.self.query.weight"; those of a Dense "2_Dense/linear.weight").
class TrainableEncoder {
 public:
  /// Reads a sentence-transformers folder whose first module is a Transformer, or a static model. Errors as
  /// Encoder::load.
  static TrainableEncoder load(const std::filesystem::path& folder, const Run& run = {});

  const ModelFolder& model() const { return model_; }
  bool is_static() const { return table_.has_value(); }
  Index dims() const { return dims_; }  ///< of a vector

  Parameters parameters;

  /// Takes over values that have changed: after each step.
  void prepare(const Run& run = {}) {
    if (network_) network_->prepare(parameters, run);
  }

  /// Ids as the model reads them: cut at its limit, with its default prompt and, of a transformer, special
  /// tokens.
  Tokens tokenize(const Texts& texts, const Run& run = {}) const;

  /// texts: ids as `tokenize` gives them. Returns texts x dims, with the bits of Encoder::encode if nothing
  /// is dropped (of a static model: whose table is of float32). Memory: about 12 hidden numbers a token and
  /// layer.
  Matrix forward(std::span<const std::span<const std::uint32_t>> texts, const NetworkDropout& dropout,
                 EncoderPass& pass, const Run& run = {}) const;
  /// slope: of the loss by each number that forward gave. Adds to the gradients.
  void backward(const EncoderPass& pass, Matrix slope, const Run& run = {});

  /// Vectors of all texts, nothing dropped, in parts of about `kTokensAtOnce` tokens; memory: what one layer
  /// leaves of a part.
  Matrix encode(std::span<const std::span<const std::uint32_t>> texts, const Run& run = {}) const;
  Matrix encode(const Tokens& texts, const Run& run = {}) const;
  Matrix encode(const Texts& texts, const Run& run = {}) const { return encode(tokenize(texts, run), run); }
  static constexpr Index kTokensAtOnce = 4096;

  /// Dropout as the model's config says (hidden_dropout_prob, attention_probs_dropout_prob; of DistilBERT
  /// dropout, attention_dropout; 0.1 where it says nothing); none of a static model.
  NetworkDropout dropout() const { return dropout_; }

  /// Writes the model into the folder `to`, which is there and empty: the files of the folder that it was
  /// loaded from, with the weights as they are now, in float32.
  void save(const std::filesystem::path& to) const;

 private:
  struct Step {
    HeadStep what;
    Index weight = 0, bias = 0, residual = 0;  // places in the parameters, of those that it has
  };
  TrainableEncoder(ModelFolder model, Tokenizer tokenizer);
  TrainableEncoder(const std::filesystem::path& static_folder, const Run& run);
  void add_head();
  Tokens tokenize(const Texts& texts, Index first, Index count) const;
  Matrix head_forward(Matrix x, EncoderPass& pass, const Run& run) const;
  Matrix head_backward(const EncoderPass& pass, Matrix slope, const Run& run);

  std::optional<TrainableTable> table_;  // of a static model; of a transformer the next two
  std::optional<Tokenizer> tokenizer_;
  std::optional<TrainableNetwork> network_;
  ModelFolder model_;
  std::vector<Step> steps_;
  Index dims_ = 0, left_out_ = 0;
  NetworkDropout dropout_;
};

}  // namespace shoal
