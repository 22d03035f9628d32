#pragma once

#include <optional>
#include <vector>

#include "shoal/core/matrix.h"
#include "shoal/core/run.h"
#include "shoal/flow/distil/token_table_impl.h"
#include "shoal/tokenize/tokenizer.h"

namespace shoal {

/// a / (a + p) of each row, p by Zipf's law from its place.
std::vector<double> weights_by_rank(Index rows, double a);

/// The same, p as counted in the corpus; `unknown` is not counted.
std::vector<double> weights_by_count(Index rows, double a, std::optional<Index> unknown,
                                     const CorpusPasses& passes, const Tokenizer& tokenizer, const Run& run);

/// Error(argument) unless so many texts of the corpus have a token as remove_common needs.
void check_common(Index components, std::optional<Index> unknown, const CorpusPasses& passes,
                  const Tokenizer& tokenizer);

/// Takes the mean of the texts' means off the rows of `table`, and what they have along the first components
/// of those means: as the mean of rows is linear, the texts' means lose the same.
void remove_common(Matrix& table, Index components, std::optional<Index> unknown, const CorpusPasses& passes,
                   const Tokenizer& tokenizer, const Run& run);

}  // namespace shoal
