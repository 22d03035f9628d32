#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "shoal/core/fields.h"
#include "shoal/core/matrix.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"
#include "shoal/core/texts.h"
#include "shoal/encode/text_attention.h"

namespace shoal {

/// Which vectors of a folder are wanted.
enum class EncoderUse : std::uint8_t {
  sentence,  ///< what sentence-transformers gives
  features,  ///< of a model that gives labels: what its last layer reads
};

/// What to do with a text longer than the model's limit.
enum class LongTexts : std::uint8_t {
  truncate,  ///< as the model says: the first max_seq_length tokens
  chunk,     ///< overlapping windows, pooled by the number of tokens each adds
};
constexpr auto names_of(LongTexts) { return std::array{"truncate", "chunk"}; }

/// Options change the vectors. In an ensemble each part takes those that it knows: a prompt if it has one of
/// that name, max_tokens up to its own limit; words (tfidf) have none.
struct EncodeOptions {
  LongTexts long_texts = LongTexts::truncate;
  Index overlap = 32;  ///< tokens that a window under `chunk` shares with the one before (the last window: at
                       ///< least so many); less than fit beside special tokens and prompt
  std::optional<Index> max_tokens;    ///< 1..the model's limit, but room for a token; special tokens count
  std::optional<std::string> prompt;  ///< name in the model's prompts; absent: the model's default
};
template <class V>
void fields(EncodeOptions& o, V&& visit) {
  visit("long", o.long_texts,
        "what to do with texts over the model's limit: cut them, or pool overlapping windows");
  visit("overlap", o.overlap, "tokens shared by neighbouring windows of a chunked text");
  visit("max_tokens", o.max_tokens, "cut texts to this many tokens, at most the model's own limit",
        at_least(1));
  visit("prompt", o.prompt, "name of one of the model's prompts to put before each text");
}

/// What became of texts on their way to the model.
struct EncodeCounts {
  Index cut = 0;            ///< texts that were truncated
  Index unknown = 0;        ///< texts of which the tokenizer knows nothing: their vectors say nothing
  Index first_unknown = 0;  ///< the first of them, by its place among `texts`
};

class Tokenizer;      // tokenize/tokenizer.h
struct PlacedTokens;  // the same

/// How the vectors of an ensemble's parts become one.
enum class EnsemblePool : std::uint8_t {
  concatenate,  ///< side by side: the cosine is the mean of the parts' cosines, weighted by squared weights
  average,      ///< all turned into the space of the first by the best rotation, then their weighted mean
  pca           ///< principal components of them side by side
};
constexpr auto names_of(EnsemblePool) { return std::array{"concatenate", "average", "pca"}; }

/// What makes an Encoder's vectors.
enum class ModelKind : std::uint8_t {
  transformer,  ///< a network
  tokens,       ///< the mean of its tokens' vectors
  tfidf,        ///< the words of the text
  ensemble      ///< several models
};
constexpr auto names_of(ModelKind) { return std::array{"transformer", "tokens", "tfidf", "ensemble"}; }

struct EncoderPart;

/// A model, ready to run: a sentence-transformers folder, or a folder of 'shoal ensemble fit'. Copies share
/// the weights. May be used from many threads.
///
///   const Encoder encoder = Encoder::load(folder);
///   const Rows vectors = encoder.encode(texts);  // owns its numbers, knows its model: give it to any stage
///   const Matrix numbers = encoder.encode(texts).to_matrix();
class Encoder {
 public:
  /// Reads config, tokenizer and weights, checks every shape, packs the weights. A folder of Hugging Face's
  /// cache is taken as it is. Weights are safetensors or pytorch_model.bin, whole or in parts. The tokenizer
  /// is tokenizer.json, or of BERT's kind vocab.txt; where tokenizer_config.json asks for other ids
  /// (do_lower_case, add_prefix_space, ...) it is unsupported. Error(file), Error(format), or
  /// Error(unsupported) naming the part that shoal does not do. Of an ensemble all parts are loaded: they are
  /// looked for where they were, beside the ensemble, and by their names in `models_folder`; Error(file) if
  /// one is not there, Error(format) if it is another than it was. Step "load model".
  /// use: features of a folder whose model gives labels (read_sequence_head); the name of such an encoder is
  /// the folder's with ".features".
  static Encoder load(const std::filesystem::path& folder, const Run& run = {},
                      const std::filesystem::path& models_folder = {}, EncoderUse use = EncoderUse::sentence);

  /// texts [first, first + count) -> count x dims, of space(). A text's vector has the same bits alone, in
  /// any batch, in any order, at any thread count and level. Work is cut by tokens; peak memory does not grow
  /// with count beyond the result. Error(argument) if the texts asked for are not there or an option does not
  /// fit the model; Error(data) naming the tokenizer and its reason if a text cannot be tokenized;
  /// Error(format) if the weights give a vector that is not finite. `counts`, if given, is filled.
  /// Step "encode", in pieces of about a thousand tokens, of each group of up to 16,384 texts or 8 MB.
  Rows encode(const Texts& texts, Index first, Index count, const EncodeOptions& options, const Run& run,
              EncodeCounts* counts = nullptr) const;
  Rows encode(const Texts& texts, const EncodeOptions& options = {}, const Run& run = {},
              EncodeCounts* counts = nullptr) const {
    return encode(texts, 0, texts.size(), options, run, counts);
  }

  /// Of an ensemble: the vectors of each part, of its own space, and what `encode` makes of them.
  /// Error(argument) of another kind of model, or if they are not those of its parts.
  std::vector<Rows> encode_parts(const Texts& texts, const EncodeOptions& options = {}, const Run& run = {},
                                 EncodeCounts* counts = nullptr) const;
  Rows pooled(const std::vector<Rows>& parts) const;

  /// The attention between the tokens of texts [first, first + count): `take` hears of each text, of as many
  /// heads as `channels` names, as transformers gives with output_attentions and the implementation "eager".
  /// A text's numbers have the same bits alone, in any batch, at any thread count and level. Layers behind
  /// the last one that is named are not computed. Memory: for each thread the numbers of about 512 tokens'
  /// texts, of a text of n tokens channels x n x n. Error(unsupported) unless the model is a transformer;
  /// Error(argument) for a head that is not there, for LongTexts::chunk, or as encode; Error(data) and
  /// Error(format) as encode. Step "attention", as "encode".
  void attention(const Texts& texts, Index first, Index count, std::span<const LayerHead> channels,
                 const EncodeOptions& options, const Run& run, const TakeTextAttention& take) const;
  /// The tokens of texts as `attention` takes them. In the calling thread. Errors as there.
  PlacedTokens placed_tokens(const Texts& texts, Index first, Index count,
                             const EncodeOptions& options) const;
  std::optional<HeadCounts> head_counts() const;  ///< of a transformer; absent: it is none

  const Space& space() const;  ///< id is "name()@HASH": 16 digits of the hash of weights, tokenizer, configs
  const std::string& name() const;  ///< the folder's name, and ".features" of them
  ModelKind kind() const;
  Index max_tokens() const;                  ///< of an ensemble the most of a part; 0: there is no limit
  std::vector<std::string> prompts() const;  ///< their names; of an ensemble those of any part
  /// What the prompt of that name, absent: the model's default, puts before a text: often nothing. Of an
  /// ensemble those of its parts, one after another. Empty too if there is none of that name.
  std::string prompt_text(const std::optional<std::string>& name) const;
  /// Of an ensemble that of the first part that has one. Null: the model has none, as it counts words.
  const Tokenizer* tokenizer() const&;
  const std::vector<EncoderPart>& parts() const&;  ///< of an ensemble; none of others
  std::optional<EnsemblePool> pool() const;        ///< the same
  double flops(Index tokens) const;  ///< multiply-adds x 2 of the linear layers for that many tokens

  struct State;  ///< encoder_impl.h
  explicit Encoder(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  const State& state() const& { return *state_; }

 private:
  std::shared_ptr<const State> state_;
};

/// One of the models that an ensemble is made of.
struct EncoderPart {
  std::string name;   ///< "all-MiniLM-L6-v2", "tfidf", "tokens:all-MiniLM-L6-v2"
  double weight = 1;  ///< above 0
  Encoder encoder;
};

}  // namespace shoal
