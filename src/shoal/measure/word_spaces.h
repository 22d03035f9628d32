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

/// The mean over the sets of Spearman's correlation of cosines with judgements. Drawn anew are words, not
/// pairs, as a word stands in several: a pair stands there as often as both of its words together (the
/// product). cosines: of each set, of each pair. words: how many there are in all sets.
Measurable word_similarity(std::vector<JudgedPairs> sets, const std::vector<std::vector<double>>& cosines,
                           Index words);

/// Of each question a : b = c : d whether d is the word whose vector is nearest to b - a + c, without a, b
/// and c (Mikolov et al. 2013, 3CosAdd): 1 or 0. vectors: words x dims, unit. Ties: the first word.
std::vector<std::uint8_t> solve_analogies(MatrixView vectors,
                                          std::span<const std::array<std::uint32_t, 4>> questions,
                                          const Run& run);

}  // namespace shoal
