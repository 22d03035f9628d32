#pragma once

#include <array>
#include <cstdint>

#include "shoal/core/matrix.h"
#include "shoal/core/random.h"
#include "shoal/core/run.h"
#include "shoal/core/texts.h"

namespace shoal {

/// Where words begin on the sphere.
enum class WordStart : std::uint8_t {
  spread,   ///< as far apart as they can be: simplex if there is room for it, else frame
  simplex,  ///< all at the same distance, the largest there is; needs words - 1 dimensions
  frame,    ///< the directions of `random`, pushed apart
  random    ///< a random direction for each word
};
constexpr auto names_of(WordStart) { return std::array{"spread", "simplex", "frame", "random"}; }

/// Unit vectors, words x dims. random: a function of the seed and the word alone. frame: these, made a tight
/// frame without a mean, by turns: centred, multiplied by the inverse root of their Gram matrix, scaled to
/// length 1. The mean squared cosine then is the least that so many vectors can have in so many dimensions
/// (Welch 1974: (words - dims) / (dims (words - 1))), and the mean cosine that of a simplex. simplex: the
/// cosine of any two words is -1 / (words - 1). Error(argument) if `simplex` has fewer than words - 1
/// dimensions, or dims is 0.
Matrix start_words(const Texts& words, Index dims, WordStart start, Seed seed, const Run& run);

}  // namespace shoal
