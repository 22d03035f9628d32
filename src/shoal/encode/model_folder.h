#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "shoal/encode/bert_config.h"
#include "shoal/encode/encoder.h"

namespace shoal {

/// How the vectors of a text's tokens become one. The names are those of sentence-transformers.
enum class PoolingMode : std::uint8_t { cls, mean, max, mean_sqrt_len_tokens, weightedmean, lasttoken };

struct PoolingConfig {
  std::vector<PoolingMode> modes{PoolingMode::mean};  ///< their vectors stand side by side in this order
  bool include_prompt = true;                         ///< false: the prompt's tokens are left out
  std::filesystem::path folder;                       ///< of the module; empty: none
};

/// What follows the pooling.
enum class StepKind : std::uint8_t { dense, layer_norm, normalize };

struct HeadStep {
  StepKind kind = StepKind::normalize;
  Index inputs = 0, outputs = 0;
  bool bias = false, residual = false;       ///< of dense
  Activation activation = Activation::none;  ///< of dense
  std::filesystem::path folder;              ///< where the weights are
  std::string tensor = "linear";             ///< of dense: what they are called
};

/// A sentence-transformers folder as its small files describe it: both generations of modules.json, or none
/// (then mean over the transformer). May lie in Hugging Face's cache (model_place). Nothing heavy is read.
struct ModelFolder {
  std::filesystem::path folder;
  std::filesystem::path transformer_folder;
  std::filesystem::path sentence_config;  ///< sentence_bert_config.json or as it is called; empty: none
  BertConfig transformer;
  Index limit = 0;  ///< most tokens of a text, special ones included; at most transformer.max_tokens()
  bool lower_case = false;  ///< texts are put in lower case before the tokenizer's own steps
  PoolingConfig pooling;
  std::vector<HeadStep> head;
  std::map<std::string, std::string> prompts;
  std::optional<std::string> default_prompt;  ///< a name in prompts
  Index dims = 0;                             ///< of a finished vector
  std::optional<Index> truncate;              ///< first dims kept after the last step
};

/// Whether it is Model2Vec's: config.json has that model_type, or none, and the table is called embeddings.
bool is_model2vec(const std::filesystem::path& folder);
/// Where the table lies, if modules.json begins with a StaticEmbedding: a vector for each token, and no
/// network. Without modules.json, of a folder of Model2Vec, the folder.
std::optional<std::filesystem::path> static_table_folder(const std::filesystem::path& given);
/// Of such a folder: place, prompts, and what follows the mean of the tokens' vectors of `token_dims`
/// numbers. transformer_folder is that of the vectors. Errors as read_model_folder.
ModelFolder read_static_folder(const std::filesystem::path& given, Index token_dims);

/// Error(file), Error(format), or Error(unsupported) naming the file and the field, module or value.
ModelFolder read_model_folder(const std::filesystem::path& given, EncoderUse use = EncoderUse::sentence);

/// Of a folder whose model reads pairs of texts and scores them (cross_folder.h): the transformer, its limit
/// and prompts; no pooling and no head. has_head: one that has its last layer; without, any folder with a
/// transformer, whose other modules are not looked at. Errors as read_model_folder.
ModelFolder read_pair_folder(const std::filesystem::path& given, bool has_head);

}  // namespace shoal
