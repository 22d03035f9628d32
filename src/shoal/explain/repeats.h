#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "shoal/core/matrix.h"

namespace shoal {

/// A word or a pair of words of a cluster.
struct RankedTerm {
  std::string words;  ///< separated by one blank
  double score = 0;
  Index texts = 0;  ///< texts of the cluster that hold it
};

/// The first `n` of `terms` (best first) of which no two share a word or a stem: what remains of a list that
/// says "python", "python module", "modules". A word that mostly stands in one pair gives its place to the
/// pair.
std::vector<RankedTerm> without_repeats(const std::vector<RankedTerm>& terms, Index n);

/// True if two words look alike enough to say the same: "parser" and "parsing", "crypto" and "cryptographic";
/// not "java" and "javascript". A rule of beginnings and endings, not a dictionary.
bool same_stem(std::string_view a, std::string_view b);

}  // namespace shoal
