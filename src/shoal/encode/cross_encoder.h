#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "shoal/core/fields.h"
#include "shoal/core/matrix.h"
#include "shoal/core/run.h"
#include "shoal/core/texts.h"

namespace shoal {

/// What becomes of a cross-encoder's logits.
enum class ScoreScale : std::uint8_t {
  model,    ///< as its folder says: a sigmoid of one score, several as they are, where it says nothing
  logits,   ///< as they are
  sigmoid,  ///< each by itself, 0 to 1
  softmax   ///< those of a pair together, adding up to 1
};
constexpr auto names_of(ScoreScale) { return std::array{"model", "logits", "sigmoid", "softmax"}; }

/// Options change the scores.
struct ScoreOptions {
  ScoreScale scale = ScoreScale::model;
  std::optional<Index> max_tokens{};    ///< 1..the model's limit, but room for a token; special tokens count
  std::optional<std::string> prompt{};  ///< name in the model's prompts, put before each first text; absent:
                                        ///< the model's default
};
template <class V>
void fields(ScoreOptions& o, V&& visit) {
  visit("scale", o.scale, "what becomes of a cross-encoder's scores: as the model says, or another");
  visit("max_tokens", o.max_tokens, "cut pairs to this many tokens, at most the model's own limit",
        at_least(1));
  visit("prompt", o.prompt, "name of one of the model's prompts to put before each first text");
}

/// A model that reads two texts as one input and scores them: a folder of transformers'
/// ...ForSequenceClassification or of sentence-transformers' CrossEncoder. Copies share the weights. May be
/// used from many threads.
///
///   const CrossEncoder judge = CrossEncoder::load(folder);
///   const Matrix scores = judge.scores(queries, passages);  // pairs x labels
class CrossEncoder {
 public:
  /// BERT, RoBERTa, XLM-R, CamemBERT, DistilBERT and MPNet, of one label or several. Error(file),
  /// Error(format), or Error(unsupported) naming the part that shoal does not do. Step "load model".
  static CrossEncoder load(const std::filesystem::path& folder, const Run& run = {});

  /// Scores of firsts[i] with seconds[i]: pairs x labels. A pair over the limit loses tokens at the end of
  /// its longer text until both are of one length, then of both. A pair's scores have the same bits alone, in
  /// any batch, in any order, at any thread count and level. Memory does not grow with the pairs beyond the
  /// result. `cut`, if given, gets how many pairs were too long. Error(argument) if there are more texts of
  /// one than of the other or an option does not fit the model; Error(data) if a text cannot be tokenized;
  /// Error(format) if the weights give a score that is not finite. Step "score", in pieces of about a
  /// thousand tokens, of each group of up to 16,384 pairs or 8 MB.
  Matrix scores(const Texts& firsts, const Texts& seconds, const ScoreOptions& options = {},
                const Run& run = {}, Index* cut = nullptr) const;

  const std::string& name() const;                 ///< the folder's name
  const std::string& id() const;                   ///< "name()@HASH", of weights, tokenizer and configs
  const std::vector<std::string>& labels() const;  ///< what each score is of
  Index max_tokens() const;
  std::vector<std::string> prompts() const;  ///< their names

 private:
  struct State;
  explicit CrossEncoder(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

}  // namespace shoal
