#pragma once

#include <limits>
#include <vector>

#include "shoal/core/matrix.h"

namespace shoal {

/// Counts of two yes-or-no facts: a both, b only the first, c only the second, d neither.
struct FourCounts {
  Index a = 0, b = 0, c = 0, d = 0;
};

/// Fisher's exact test, two-sided: the chance, all margins given, of a table no more likely than this one.
/// Tables whose chances differ by less than 1e-7 of themselves are equally likely. 1 if a margin is empty.
/// O(sqrt(rows)) as a rule.
double fisher_exact_p(const FourCounts& n);

/// How many times larger the odds of the second fact are where the first holds, with its 95% interval after
/// Woolf. If a count is 0, of all counts + 0.5 (Haldane, Anscombe).
struct OddsRatio {
  double ratio = 0, low = 0, high = 0;
};
OddsRatio odds_ratio(const FourCounts& n);

/// Pearson's correlation of the two facts, -1 to 1; NaN if a margin is empty.
double phi(const FourCounts& n);

struct ChiSquare {
  double statistic = std::numeric_limits<double>::quiet_NaN();
  double df = 0;
  double p = std::numeric_limits<double>::quiet_NaN();
  double cramers_v = std::numeric_limits<double>::quiet_NaN();  ///< 0 to 1
  double smallest_expected = 0;       ///< count of a cell, were there no association
  double share_expected_below_5 = 0;  ///< of the cells
};

/// Pearson's chi-square test of independence without Yates' correction. counts[i][j]: rows of kind i and j.
/// Empty rows and columns do not count; NaN if fewer than two of either are left.
ChiSquare chi_square_test(const std::vector<std::vector<Index>>& counts);

}  // namespace shoal
