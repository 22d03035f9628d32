#pragma once

#include <optional>
#include <string>
#include <vector>

#include "shoal/core/labels.h"
#include "shoal/core/matrix.h"

namespace shoal {

/// Somebody has said of two texts whether they belong together: an accepted or a rejected hit, a click, two
/// texts put into one folder or into two. The order does not count.
struct JudgedPair {
  Index a = 0, b = 0;  ///< rows of the texts of the feedback
  bool accepted = true;
  bool operator==(const JudgedPair&) const = default;
};

/// Where feedback contradicts itself, and what became of it.
struct FeedbackConflicts {
  Index repeated = 0;                 ///< judgements that say again what another has said: counted once
  Index outvoted = 0;                 ///< judgements of a pair of which more say the opposite: left out
  Index undecided = 0;                ///< pairs that were accepted as often as rejected: left out
  Index with_self = 0;                ///< pairs of a text with itself: left out
  Index by_chain = 0;                 ///< rejected pairs whose texts a chain of accepted ones joins: kept
  std::optional<JudgedPair> example;  ///< the first pair that was judged in both ways
  bool any() const { return outvoted + undecided + by_chain > 0; }
};

/// Each pair once, a < b, by a and then b, as most judgements say. O(n log n). Error(data) if a row is not
/// one of `rows`.
std::vector<JudgedPair> settle_pairs(const std::vector<JudgedPair>& pairs, Index rows,
                                     FeedbackConflicts& conflicts);

}  // namespace shoal
