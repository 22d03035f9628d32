#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <variant>
#include <vector>

#include "shoal/encode/after_pooling.h"
#include "shoal/encode/bert_network.h"
#include "shoal/encode/encoder.h"
#include "shoal/encode/model_folder.h"
#include "shoal/encode/tfidf.h"
#include "shoal/encode/token_vectors.h"
#include "shoal/store/files/mapping.h"
#include "shoal/tokenize/tokenizer.h"

namespace shoal {

struct EncodePlan;

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
  static TransformerModel load(const std::filesystem::path& folder, const Run& run, std::string& id,
                               EncoderUse use = EncoderUse::sentence);
  bool unit() const;  ///< every vector has length 1
  Index dims() const;
  Matrix encode(const Texts& texts, Index first, Index count, const EncodeOptions& options, const Run& run,
                TextFates& fates) const;
  PlacedTokens placed_tokens(const Texts& texts, Index first, Index count, const EncodePlan& plan) const;
  Index max_tokens() const { return model.limit; }
  double flops(Index tokens) const;
};

/// Several models whose vectors are one: each scaled to length 1, times its weight, side by side, scaled to
/// length 1; then, if there is a map, (x - mean) map^T, scaled to length 1.
struct EnsembleModel {
  EnsemblePool pool = EnsemblePool::concatenate;
  std::vector<EncoderPart> parts;
  std::vector<float> mean;  ///< empty: there is no map
  Packed map;

  Index dims() const;
  bool unit() const { return true; }
  Matrix encode(const Texts& texts, Index first, Index count, const EncodeOptions& options, const Run& run,
                TextFates& fates) const;
  std::vector<Matrix> encode_parts(const Texts& texts, Index first, Index count, const EncodeOptions& options,
                                   const Run& run, TextFates& fates) const;
  Matrix pooled(std::vector<Matrix> rows) const;
  void check(const EncodeOptions& options) const;
  Index max_tokens() const;
  double flops(Index tokens) const;
  const Tokenizer* tokenizer() const;
  std::vector<std::string> prompts() const;
};

/// Words, as one of the models.
struct TfidfModel {
  Tfidf tfidf;

  Index dims() const { return tfidf.dims(); }
  bool unit() const { return true; }
  Matrix encode(const Texts& texts, Index first, Index count, const EncodeOptions& options, const Run& run,
                TextFates& fates) const;
  Index max_tokens() const { return 0; }
  double flops(Index) const { return 0; }
};

/// Everything that a loaded model is; never changed after loading. The kinds of models have the same
/// functions; Encoder calls those of the one that there is.
struct Encoder::State {
  std::string name;
  Space space;
  std::variant<TransformerModel, TokenVectors, TfidfModel, EnsembleModel> model;

  /// Of a model's folder. depth: how many ensembles it lies in.
  static Encoder load(const std::filesystem::path& folder, const std::filesystem::path& models_folder,
                      const Run& run, Index depth);
  static Encoder load_features(const std::filesystem::path& folder, const Run& run);
  static Encoder load_ensemble(const std::filesystem::path& folder,
                               const std::filesystem::path& models_folder, const Run& run, Index depth);
  template <class Model>
  static Encoder of(std::string name, const std::string& hash, Model model) {
    const Space space{.id = name + "@" + hash, .dims = model.dims(), .unit = model.unit()};
    return Encoder(std::make_shared<const State>(State{std::move(name), space, std::move(model)}));
  }
  Matrix encode(const Texts& texts, Index first, Index count, const EncodeOptions& options, const Run& run,
                TextFates& fates) const {
    return std::visit([&](const auto& one) { return one.encode(texts, first, count, options, run, fates); },
                      model);
  }
};

/// The tokenizer of a model's folder. Error(file), Error(format); Error(unsupported) naming the two fields if
/// tokenizer_config.json asks for other ids than tokenizer.json gives.
Tokenizer load_tokenizer(const ModelFolder& model);
/// The class of it that transformers takes, without the ending Fast.
std::string tokenizer_class(const ModelFolder& model);

/// Error(format) if the tokenizer knows more tokens than the transformer.
void check_vocabulary(const ModelFolder& model, const Tokenizer& tokenizer);

/// The same as JSON, as shoal runs it. Error(file), Error(format).
nlohmann::json tokenizer_file(const ModelFolder& model);

/// The files beside the weights that decide the vectors of a sentence-transformers folder.
std::vector<std::filesystem::path> small_files(const ModelFolder& model);

/// What is put before each text. Error(argument) if the model has no prompt of that name.
std::string prompt_of(const ModelFolder& model, const EncodeOptions& options);

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
  /// All at once.
  static std::string of(std::vector<std::filesystem::path> files, const Run& run);
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
