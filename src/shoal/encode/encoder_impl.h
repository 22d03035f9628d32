#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "shoal/encode/after_pooling.h"
#include "shoal/encode/bert_network.h"
#include "shoal/encode/encoder.h"
#include "shoal/encode/model_folder.h"
#include "shoal/store/files/mapping.h"
#include "shoal/tokenize/tokenizer.h"

namespace shoal {

/// What became of the texts of one call, each by itself.
struct TextFates {
  Index cut = 0;                      ///< texts that were truncated
  std::vector<std::uint8_t> unknown;  ///< of each text: 1 if nothing of it is known
};

/// A sentence-transformers folder whose first module is a Transformer.
struct TransformerModel {
  ModelFolder model;
  Tokenizer tokenizer;
  BertNetwork transformer;
  AfterPooling head;

  /// `id`: gets 16 digits of the hash of all files that decide the vectors.
  static TransformerModel load(const std::filesystem::path& folder, const Run& run, std::string& id);
  bool unit() const;  ///< every vector has length 1
  Index dims() const;
  Matrix encode(const Texts& texts, Index first, Index count, const EncodeOptions& options, const Run& run,
                TextFates& fates) const;
  Index max_tokens() const { return model.limit; }
  double flops(Index tokens) const;
};

/// Everything that a loaded model is; never changed after loading. Each kind of model has the same functions,
/// which Encoder calls on the one that there is.
struct Encoder::State {
  std::string name;
  Space space;
  std::variant<TransformerModel> model;
};

/// The tokenizer of a model's folder. Error(file), Error(format); Error(unsupported) naming the two fields if
/// tokenizer_config.json asks for other ids than tokenizer.json gives.
Tokenizer load_tokenizer(const ModelFolder& model);

/// What the options come to for one model.
struct EncodePlan {
  Index limit = 0;       ///< most tokens of a window, special ones included
  std::string prompt;    ///< put before each text
  Index prompt_ids = 0;  ///< tokens of the prompt alone, without special ones
  Index left_out = 0;    ///< first tokens that the pooling does not count
  bool chunk = false;
  Index room = 0;  ///< under `chunk`: tokens of a text's own that fit into a window
  Index overlap = 0;
};

/// Error(argument) if an option does not fit the model: the message names it, its value and what is allowed.
EncodePlan make_plan(const Tokenizer& tokenizer, const ModelFolder& model, const EncodeOptions& options);

/// 16 hex digits from the content of all files that decide the vectors. Hashes of blocks of 1 MB are hashed,
/// so that threads share the work: `hash` each block once, from any thread, then `finish`.
class FilesHash {
 public:
  explicit FilesHash(std::vector<std::filesystem::path> files);
  Index blocks() const { return digests_.size(); }
  void hash(Index block);
  std::string finish() const;

 private:
  std::vector<std::filesystem::path> files_;
  std::vector<std::unique_ptr<const Mapping>> mappings_;
  std::vector<Index> starts_{0};  // the first block of each file, and one more
  std::vector<std::string> digests_;
};

}  // namespace shoal
