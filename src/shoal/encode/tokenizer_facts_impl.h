#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "shoal/core/matrix.h"

namespace shoal {

/// What Model2Vec asks of a tokenizer.json besides ids.
struct TokenizerFacts {
  std::optional<std::uint32_t> unknown;  ///< the id of what the model does not know
  Index median_letters = 0;              ///< of the tokens' lengths in code points, rounded down

  /// Error(format) if it is no JSON with a vocabulary.
  static TokenizerFacts read(const std::filesystem::path& path);
};

/// The most tokens that tokenizer.json itself leaves of a text; 0: any.
Index truncation_of(const std::filesystem::path& path);

}  // namespace shoal
