#pragma once

#include <vector>

#include "shoal/core/matrix.h"
#include "shoal/core/run.h"
#include "shoal/watch/drift.h"
#include "shoal/watch/permutations.h"

namespace shoal {

/// A function of two rows whose means over pairs within and between the sides make a statistic.
struct PairKernel {
  DriftTest test = DriftTest::mmd;  ///< mmd, energy or covariance_shift
  double scale = 1;                 ///< mmd: the width
};
/// Those that `tests` need, in their order.
std::vector<PairKernel> pair_kernels(const std::vector<DriftTest>& tests, double bandwidth);

/// Of each kernel the sums over all pairs of rows of two units, and over the rows with themselves.
struct PairSums {
  Index units = 0;
  std::vector<std::vector<double>> between;  ///< of each kernel units x units
  std::vector<std::vector<double>> own;      ///< of each kernel units
};
/// x: rows less their mean. units: rows of x. O(rows^2 d) once; each unit's sums have one writer. Step
/// "pairs".
PairSums pair_sums(const Matrix& x, const std::vector<std::vector<Index>>& units,
                   const std::vector<PairKernel>& kinds, const Run& run);

/// Of each kernel its statistic at each deal of the units `which`: mean over pairs within the old side, and
/// within the new one, less twice the mean between them; rows are no pairs with themselves.
std::vector<std::vector<double>> pair_statistics(const PairSums& sums, const std::vector<Index>& which,
                                                 const std::vector<std::vector<Index>>& units,
                                                 const BlockDeals& deals, const Run& run);
/// The same without sums that are kept, for many small units: O(rows^2 (d + deals)).
std::vector<std::vector<double>> pair_statistics(const Matrix& x,
                                                 const std::vector<std::vector<Index>>& units,
                                                 const std::vector<PairKernel>& kinds,
                                                 const BlockDeals& deals, const Run& run);

}  // namespace shoal
