#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "shoal/core/matrix.h"
#include "shoal/core/run.h"
#include "shoal/measure/bootstrap.h"

namespace shoal {

/// Pairs of words that people have judged. Words are numbers that all sets share.
struct JudgedPairs {
  std::string name;
  std::vector<std::array<std::uint32_t, 2>> words;
  std::vector<double> judged;  ///< of each pair: more is more alike
};

/// The mean over the sets of Spearman's correlation of cosines with judgements.
struct WordSimilarity {
  double value = 0;
  /// Of each pair, set by set: how much it raises the value, the difference to what it is without the pair.
  std::vector<double> influence;
};

/// cosines: of each set, of each pair. O(sum of pairs^2).
WordSimilarity word_similarity(const std::vector<JudgedPairs>& sets,
                               const std::vector<std::vector<double>>& cosines, const Run& run);

/// The value with its 95% interval over words. Pairs with a word in common are not independent, also of
/// different sets: variance = sum over words of (sum of the influences of its pairs)^2, less the sum over
/// pairs of influence^2, which that counts twice (Fafchamps, Gubert 2007; Aronow, Samii, Assenova 2015); at
/// least that of independent pairs. words: how many there are in all sets.
Measured measured(const WordSimilarity& what, const std::vector<JudgedPairs>& sets, Index words);
/// a - b of the same pairs: what both have in common cancels out.
WordSimilarity difference(const WordSimilarity& a, const WordSimilarity& b);

/// Of each question a : b = c : d whether d is the word whose vector is nearest to b - a + c, without a, b
/// and c (Mikolov et al. 2013, 3CosAdd): 1 or 0. vectors: words x dims, unit. Ties: the first word.
std::vector<std::uint8_t> solve_analogies(MatrixView vectors,
                                          std::span<const std::array<std::uint32_t, 4>> questions,
                                          const Run& run);

}  // namespace shoal
