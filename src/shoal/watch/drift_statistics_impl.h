#pragma once

#include <vector>

#include "shoal/core/matrix.h"
#include "shoal/core/run.h"
#include "shoal/watch/drift.h"
#include "shoal/watch/permutations.h"

namespace shoal {

/// What tests that are functions of sums need of each unit (a block, or a row).
struct UnitTables {
  std::vector<double> rows;
  Matrix sums;        ///< of the rows less their mean: units x d
  Matrix white_sums;  ///< of the whitened rows: units x d
  Matrix moments;  ///< of the leading components: first sums, then those of products, lower triangle by rows
  Index components = 0;
  Matrix histogram;  ///< units x clusters

  UnitTables select(const std::vector<Index>& which) const;
};

/// The statistic of a test of sums at each deal of the units.
std::vector<double> table_statistics(DriftTest test, const UnitTables& tables, const BlockDeals& deals,
                                     const Run& run);

/// Of each cluster, at each deal, how far its shares on the two sides are apart.
std::vector<std::vector<double>> share_shifts(const UnitTables& tables, const BlockDeals& deals,
                                              const Run& run);

/// Most rows that the classifier sees.
inline constexpr Index kClassifierRows = 2000;

/// The mean area under the curve of logistic regressions (a ridge of 1, by Newton's method) that were fitted
/// without the units of a fold, at most 5 folds, each with units of both sides. z: rows of about unit
/// variance. A side of one unit is cut by rows. O(deals rows z.cols()^2).
std::vector<double> classifier_statistics(const Matrix& z, const std::vector<Index>& unit_of,
                                          const BlockDeals& deals, const Run& run);

}  // namespace shoal
