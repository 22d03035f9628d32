#pragma once

#include <cstdint>
#include <vector>

#include "shoal/core/matrix.h"
#include "shoal/core/random.h"

namespace shoal {

/// Ways to deal blocks to two sides, with as many on each as there were: what "no difference" makes as likely
/// as what was seen. The first is what was seen. Where there are few, all of them, each once.
struct BlockDeals {
  Index blocks = 0;    ///< in all
  Index count = 0;     ///< deals, the one that was seen counted
  bool exact = false;  ///< all that there are
  /// The smallest p-value that any statistic can reach which does not mind which side is called old: 1 in
  /// `count`, or 2 where both sides have as many blocks and all deals are there, as each has its mirror.
  double smallest_p = 1;
  std::vector<std::uint8_t> old;  ///< count x blocks: 1 where the block is on the old side

  bool on_old(Index deal, Index block) const { return old[deal * blocks + block] != 0; }
};

/// `old`: of each block 1 or 0, as seen. All deals if there are at most `most` + 1, else `most` drawn at
/// random and the one seen. O(count x blocks). Error(argument) unless there is a block on each side and most
/// >= 1.
BlockDeals deal_blocks(const std::vector<std::uint8_t>& old, Index most, Seed seed);

/// Of each deal the share of all deals whose statistic is at least as large (the p-value of that deal):
/// statistics that differ by rounding, 1e-5 of the largest magnitude, are equal. O(n log n).
std::vector<double> permutation_p_values(const std::vector<double>& statistics);

/// Corrected p-values of what was seen, for many statistics that were permuted together, so that the chance
/// of a single false one is not larger than their level (Westfall, Young 1993: the step-down maximum). Each
/// statistic is measured by its own deviation over the deals; from the largest to the smallest, each is
/// compared with the largest of those not larger. One can be as small as 1 in the number of deals, however
/// many statistics there are. statistics: of each one its value at each deal, the one seen first, at least 0;
/// one that no deal changes has 1. O(statistics x deals).
std::vector<double> step_down_p_values(const std::vector<std::vector<double>>& statistics);

/// One p-value for several tests that were permuted together: how often the smallest of their p-values is as
/// small as was seen. p_values: of each test permutation_p_values. NaN if there is none.
double omnibus_p_value(const std::vector<std::vector<double>>& p_values);

}  // namespace shoal
