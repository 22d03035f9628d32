#pragma once

#include <string>
#include <vector>

#include "shoal/core/matrix.h"

namespace shoal {

/// A word or a pair of words of a cluster.
struct RankedTerm {
  std::string words;  ///< separated by one blank
  double score = 0;
  Index texts = 0;  ///< texts of the cluster that hold it
};

/// The first `n` of `terms`, best first, without those that say again what is said: a word whose texts mostly
/// hold a pair with it gives way to the pair; other pairs give way to their word if that ranks higher; words
/// of one stem are one.
std::vector<RankedTerm> without_repeats(const std::vector<RankedTerm>& terms, Index n);

/// True if two words have one stem by their endings: "compile" and "compiler", not "port" and "portable".
bool same_stem(std::string_view a, std::string_view b);

}  // namespace shoal
