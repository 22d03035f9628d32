#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "shoal/core/matrix.h"

namespace shoal {

/// A word, or a few that stand together, of a cluster.
struct RankedTerm {
  std::string words;  ///< separated by one blank
  double score = 0;
  Index texts = 0;  ///< texts of the cluster that hold it
};

/// The first `n` of `terms` (best first) of which no two share a word or a stem: what remains of a list that
/// says "python", "python module", "modules". A term that mostly stands in one longer gives its
/// place to that.
std::vector<RankedTerm> without_repeats(const std::vector<RankedTerm>& terms, Index n);

/// The first `n` of `terms` (best first) of which none is part of another: what remains of "network", "neural
/// network", "network card". A term that mostly stands in one longer gives its place to that.
std::vector<RankedTerm> without_parts(const std::vector<RankedTerm>& terms, Index n);

/// True if two words look alike enough to say the same: "parser" and "parsing", "crypto" and "cryptographic";
/// кошка and кошкой; البنك and بنك; 東京 and 東京都; not "java" and "javascript". A rule of beginnings and
/// endings in letters, not a dictionary. Both are valid UTF-8 in lower case.
bool same_stem(std::string_view a, std::string_view b);

}  // namespace shoal
