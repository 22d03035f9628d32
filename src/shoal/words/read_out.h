#pragma once

#include <array>
#include <cstdint>

#include "shoal/core/matrix.h"
#include "shoal/core/run.h"
#include "shoal/words/contexts.h"

namespace shoal {

/// What a word's vector is made of in the end.
enum class WordReadOut : std::uint8_t {
  both,          ///< the word's own vector, and the sum of its contexts' over all its descriptions
  own,           ///< where the word came to lie
  contexts,      ///< the sum of its contexts' alone
  second_order,  ///< both, and the sum of the contexts' own sums
};
constexpr auto names_of(WordReadOut) { return std::array{"both", "own", "contexts", "second_order"}; }

/// Unit vectors, words x dims, of what `which` names, each scaled to length 1 before they are added. vectors:
/// words x dims, unit.
Matrix read_out(const Matrix& vectors, const WordContexts& contexts, WordReadOut which, const Run& run);

/// Two spaces of the same words beside each other: unit vectors, words x (a.cols() + b.cols()), of which a's
/// part counts `share` of the squared length. A row that is zero in one of them is that of the other.
Matrix beside(const Matrix& a, const Matrix& b, double share = 0.5);

}  // namespace shoal
