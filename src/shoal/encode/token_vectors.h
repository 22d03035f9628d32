#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "shoal/core/matrix.h"
#include "shoal/core/run.h"
#include "shoal/core/texts.h"
#include "shoal/encode/after_pooling.h"
#include "shoal/encode/encoder.h"
#include "shoal/encode/model_folder.h"
#include "shoal/encode/tfidf.h"
#include "shoal/encode/weights.h"
#include "shoal/tokenize/tokenizer.h"

namespace shoal {

struct TextFates;  // encoder_impl.h

/// How much each token counts in a mean, and what is taken off the mean: learnt from texts, so that frequent
/// tokens do not decide everything (Arora, Liang, Ma 2017: a / (a + frequency), a = 0.001; the mean vector
/// of the texts is taken off).
struct TokenWeights {
  static constexpr std::string_view kind = "token_weights";

  std::vector<float> weights;  ///< of each token of the vocabulary
  std::vector<float> mean;     ///< as long as a vector

  void save(ArchiveWriter& out) const;
  /// Error(format) unless there are so many of both, all finite.
  static TokenWeights load(const ArchiveReader& in, Index vocabulary, Index dims);
};

/// A vector for each token, and the mean of a text's: a sentence-transformers folder that begins with a
/// StaticEmbedding, a folder of Model2Vec, or the input embeddings of a transformer. A text without tokens
/// has the zero vector before what follows the mean.
///
/// Each is read as its own library reads it. StaticEmbedding: all tokens count, and texts are cut where
/// tokenizer.json says. Model2Vec (is_model2vec in model_folder.h):
/// tokens that are not known do not count; config.json says whether vectors are scaled to length 1, and how
/// many tokens a text may have (max_length, 512 if it says nothing); vectors of a table of float16 are
/// rounded to float16. Of both: `mapping` (token -> row) and `weights` (of tokens) beside the table, and
/// tables of float64, float32, float16, bfloat16 or int8, which stay mapped as they are. Numbers of int8 have
/// no scale.
class TokenVectors {
 public:
  /// A folder that begins with a StaticEmbedding, or of Model2Vec. `id` gets 16 digits of the hash of its
  /// files. Error(format) if mapping, weights, table and tokenizer do not fit together.
  static TokenVectors load(const std::filesystem::path& folder, const Run& run, std::string& id);
  /// The input embeddings of a transformer's folder, without special tokens, its prompts among them; scaled
  /// to length 1.
  static TokenVectors of_transformer(const std::filesystem::path& folder, const Run& run, std::string& id);

  /// The one or the other, whichever the folder is, scaled to length 1.
  static TokenVectors of(const std::filesystem::path& folder, const Run& run, std::string& id);

  /// From the tokens of the texts, which are read twice. Step "tokens".
  TokenWeights fit_weights(const TextPasses& texts, const Run& run) const;
  void set_weights(TokenWeights weights) { weights_ = std::move(weights); }

  bool unit() const;
  Index dims() const;
  Index vocabulary() const { return tokens_; }
  Index token_dims() const { return cols_; }
  Matrix encode(const Texts& texts, Index first, Index count, const EncodeOptions& options, const Run& run,
                TextFates& fates) const;
  /// The tokens that count in the means of texts [first, first + count), as `encode` takes them by default.
  Tokens tokenize(const Texts& texts, Index first, Index count) const;
  /// For learning: the row of the table that a token has, what it is multiplied by in a mean, and the tensors
  /// beside the table as they are in the file (empty: not there).
  Index row_of(std::uint32_t token) const { return mapping_.empty() ? token : mapping_[token]; }
  float scale_of(std::uint32_t token) const { return scales_.empty() ? 1.0f : scales_[token]; }
  std::span<const std::uint32_t> mapping() const { return mapping_; }
  std::span<const float> scales() const { return scales_; }
  const std::string& table_name() const { return table_name_; }
  /// The whole table as numbers, rows x token_dims().
  Matrix table() const;
  Index max_tokens() const { return limit_; }
  double flops(Index tokens) const { return 2.0 * static_cast<double>(tokens) * static_cast<double>(cols_); }
  const ModelFolder& model() const { return model_; }
  const Tokenizer& tokenizer() const& { return tokenizer_; }

 private:
  /// How texts are made tokens by these options.
  struct Reading {
    std::string prompt;
    Index before = 0;   // tokens of the prompt
    Index limit = 0;    // most tokens
    Index letters = 0;  // most letters; 0: any
  };
  TokenVectors(ModelFolder model, Tokenizer tokenizer, TensorTable table, std::string name, Index tokens,
               Index cols);
  Reading reading_of(const EncodeOptions& options) const;
  /// Of texts [first, first + count) the tokens that count; `unknown` says of which texts none is known.
  Tokens counting_tokens(const Texts& texts, Index first, Index count, const Reading& reading,
                         std::span<std::uint8_t> unknown) const;  // out: unknown
  /// The mean of the ids' vectors, into `sum`; false if they weigh nothing.
  bool mean_of(std::span<const std::uint32_t> ids, std::span<float> row, std::span<float> sum) const;
  void read_mapping(const Weights& weights, Index rows);
  void read_as_model2vec();
  /// Texts [first, first + count) with the prompt before each, cut to so many letters (0: not); how many
  /// were.
  Texts prepared(const Texts& texts, Index first, Index count, const std::string& prompt, Index letters,
                 std::vector<std::uint8_t>& cut) const;

  ModelFolder model_;
  Tokenizer tokenizer_;
  TensorTable table_;
  std::string table_name_;  // of its tensor
  Index tokens_, cols_;
  std::vector<std::uint32_t> mapping_;  // token -> row of the table; empty: the same
  std::vector<float> scales_;           // of each token; empty: 1
  Index limit_ = 0;                     // most tokens of a text; 0: any
  bool model2vec_ = false;
  std::optional<std::uint32_t> left_out_;  // the token of what is not known, which Model2Vec leaves out
  Index token_letters_ = 0;                // median length of a token, by which Model2Vec cuts texts
  AfterPooling head_;
  bool unit_ = false;  // scaled to length 1 at the end
  std::optional<TokenWeights> weights_;
};

}  // namespace shoal
