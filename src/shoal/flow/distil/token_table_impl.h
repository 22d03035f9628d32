#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "shoal/core/matrix.h"
#include "shoal/core/run.h"
#include "shoal/core/texts.h"
#include "shoal/encode/static_tokenizer.h"
#include "shoal/encode/token_states.h"
#include "shoal/flow/distil/distil.h"
#include "shoal/flow/distil/kept_impl.h"
#include "shoal/tokenize/tokenizer.h"

namespace shoal {

/// Reads the corpus from its beginning, batch by batch.
using CorpusPasses = std::function<void(const std::function<void(const Texts&)>& take)>;

/// The tokens that the static model has, and how its tokenizer is written.
struct StaticVocabulary {
  std::string json;
  std::vector<std::uint32_t> tokens;  ///< of each row the token of the StaticTokenizer
  std::optional<Index> unknown;       ///< the row of what is not known
};

/// The vectors of the tokens, before anything is done to them: rows x model's dims. before, now: the
/// tokenizer without and with the corpus' words. What is done is kept, and gone on with. Steps "context",
/// "tokens".
Matrix make_token_table(const DistilOptions& options, const TokenStates& model, const StaticTokenizer& tokens,
                        const StaticVocabulary& vocabulary, const CorpusPasses& passes, Kept& kept,
                        const Tokenizer& before, const Tokenizer& now, DistilReport& report, const Run& run);

}  // namespace shoal
