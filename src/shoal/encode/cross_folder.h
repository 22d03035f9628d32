#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "shoal/encode/model_folder.h"
#include "shoal/tokenize/tokenizer.h"

namespace shoal {

/// What sentence-transformers puts after a cross-encoder's logits.
enum class ScoreActivation : std::uint8_t { identity, sigmoid, tanh };

/// A cross-encoder's folder as its small files describe it: of transformers (config.json names a model
/// ...ForSequenceClassification) or of sentence-transformers' CrossEncoder (modules.json with a Transformer
/// alone). Nothing heavy is read.
struct CrossFolder {
  ModelFolder model;                ///< head: the linear layer between the first token and the last layer
  std::vector<std::string> labels;  ///< one for each score
  ScoreActivation activation = ScoreActivation::identity;
  double dropout = 0.1;  ///< while it learns: share of what the last layer reads
  double spread = 0.02;  ///< of the weights of a new layer: standard deviation
};

/// Whether the folder says of itself that it scores pairs, or gives labels: CrossEncoder::load may take it.
bool is_cross_folder(const std::filesystem::path& given);

/// Error(file), Error(format), or Error(unsupported) naming the file and the field, module or value.
CrossFolder read_cross_folder(const std::filesystem::path& given);

/// Of any folder with a transformer, for a cross-encoder in the making: as read_cross_folder, but with labels
/// LABEL_0 and so on, the activation that sentence-transformers takes for so many, and no steps after the
/// transformer. Errors as read_cross_folder; Error(argument) for no labels.
CrossFolder new_cross_folder(const std::filesystem::path& given, Index labels);

/// The tokenizer of a network that reads pairs. Copies share.
class PairTokenizer {
 public:
  /// Errors as Encoder::load; Error(unsupported) if tokenizer_config.json asks for other pairs than
  /// tokenizer.json makes.
  static PairTokenizer load(const ModelFolder& model);

  /// As Tokenizer::encode_pairs; types are empty if the network is not told them.
  PairTokens encode(const Texts& firsts, const Texts& seconds, Index first, Index count,
                    Index max_length) const;
  const Tokenizer& tokenizer() const { return tokenizer_; }
  bool tells_types() const { return tells_types_; }

 private:
  PairTokenizer(Tokenizer tokenizer, bool tells_types)
      : tokenizer_(std::move(tokenizer)), tells_types_(tells_types) {}

  Tokenizer tokenizer_;
  bool tells_types_;
};

}  // namespace shoal
