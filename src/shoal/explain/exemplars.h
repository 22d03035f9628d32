#pragma once

#include <vector>

#include "shoal/core/fields.h"
#include "shoal/core/labels.h"
#include "shoal/core/matrix.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"

namespace shoal {

struct ExemplarOptions {
  Index n = 5;  ///< rows a cluster
  double diversity =
      0;  ///< 0: the nearest to the center (medoids); towards 1: as unlike each other as can be
};
template <class V>
void fields(ExemplarOptions& o, V&& visit) {
  visit("n", o.n, "typical texts a cluster");
  visit("diversity", o.diversity,
        "typical texts unlike each other: 0 the nearest to the middle, to 1 the most different of those near",
        between(0, 1));
}

/// Typical rows of each cluster that differ from each other, by maximal marginal relevance (Carbonell,
/// Goldstein 1998) among the 20 n nearest to the center: one after the other the row with the largest
/// (1 - diversity) x cosine to the center - diversity x largest cosine to a row chosen before, ties by
/// nearness. x: rows x dims; centers: labels.count x dims. Errors as medoids, and Error(argument) if
/// diversity is outside [0, 1]. O(rows dims + 20 n^2 dims clusters).
std::vector<std::vector<Index>> exemplars(const Rows& x, const Labels& labels, const Matrix& centers,
                                          const ExemplarOptions& options, const Run& run);

}  // namespace shoal
