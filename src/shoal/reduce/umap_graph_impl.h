#pragma once

#include <cstdint>
#include <vector>

#include "shoal/core/labels.h"
#include "shoal/core/matrix.h"
#include "shoal/core/run.h"

namespace shoal {

/// A symmetric weighted graph, row by row: the edges of point i are at first[i] .. first[i + 1], by id.
struct FuzzyGraph {
  std::vector<Index> first;  ///< points + 1
  std::vector<std::uint32_t> id;
  std::vector<float> weight;  ///< (0, 1]

  Index points() const { return first.size() - 1; }
};

/// Section 3.1 of McInnes et al. Each point's neighbours get strengths exp(-max(0, d - rho) / sigma), where
/// rho is the distance of its nearest neighbour that is not at distance 0 and sigma is such that the
/// strengths sum to log2(k + 1); then two opinions of a pair, p and q, are united to p + q - pq. O(points k).
FuzzyGraph fuzzy_graph(const Neighbours& near, const Run& run);

}  // namespace shoal
