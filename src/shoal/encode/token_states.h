#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "shoal/core/matrix.h"
#include "shoal/core/run.h"
#include "shoal/encode/model_folder.h"
#include "shoal/tokenize/tokenizer.h"

namespace shoal {

/// The last layer of a transformer's folder, token by token, before any pooling: what static models are
/// distilled from. Copies share the weights.
class TokenStates {
 public:
  /// Errors as Encoder::load. Step "load model".
  static TokenStates load(const std::filesystem::path& folder, const Run& run);

  const std::string& name() const;  ///< of the folder
  const std::string& id() const;    ///< "NAME@HASH"
  const ModelFolder& model() const;
  Index dims() const;  ///< of a state
  Index room() const;  ///< tokens of a text's own that fit between the special ones

  /// For each text, given by the ids of its own tokens (at most room() each), the mean of the states of all
  /// its tokens, special ones too: what Model2Vec pools. texts x dims. Error(format) if one is not finite.
  /// Step `step`, in pieces.
  Matrix means(const Tokens& own, const Run& run, std::string_view step) const;
  /// The states of the texts' own tokens, one after another, as they stand in their texts.
  Matrix states(const Tokens& own, const Run& run) const;

 private:
  struct State;
  explicit TokenStates(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  template <class Take>
  void forward(const Tokens& own, const Run& run, std::string_view step, const Take& take) const;

  std::shared_ptr<const State> state_;
};

}  // namespace shoal
