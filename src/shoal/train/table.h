#pragma once

#include <filesystem>
#include <span>
#include <vector>

#include "shoal/core/matrix.h"
#include "shoal/core/run.h"
#include "shoal/encode/token_vectors.h"
#include "shoal/learn/parameters.h"

namespace shoal {

/// The vectors of tokens of a static model, as a parameter: what TokenVectors is for use, for learning. A
/// batch uses few rows, and only these take time (Parameters::make_table).
class TrainableTable {
 public:
  /// Reads a folder of Model2Vec, or one that begins with a StaticEmbedding, and adds the table to
  /// `parameters` under the name of its tensor, in float32. Errors as TokenVectors::load.
  static TrainableTable load(const std::filesystem::path& folder, Parameters& parameters, const Run& run);

  const ModelFolder& model() const { return vectors_.model(); }
  /// Ids that count in the means of texts [first, first + count); of a text of which nothing is known there
  /// may be none.
  Tokens tokenize(const Texts& texts, Index first, Index count) const {
    return vectors_.tokenize(texts, first, count);
  }

  /// ids: of all texts, those of text i are [starts[i], starts[i + 1]). Returns a mean a text, each token
  /// times its weight in the file; zeros for a text without ids.
  Matrix forward(std::span<const std::uint32_t> ids, std::span<const Index> starts,
                 const Parameters& parameters, const Run& run) const;
  /// slope: of the loss by each number that forward gave. Adds to the gradients, text by text.
  void backward(std::span<const std::uint32_t> ids, std::span<const Index> starts, MatrixView slope,
                Parameters& parameters) const;

  /// Writes `to`/model.safetensors: the table in float32, mapping and weights as they were.
  void save(const std::filesystem::path& to, const Parameters& parameters) const;

 private:
  explicit TrainableTable(TokenVectors vectors) : vectors_(std::move(vectors)) {}

  TokenVectors vectors_;
  Index place_ = 0;  // in the parameters
};

}  // namespace shoal
