#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "shoal/core/matrix.h"

namespace shoal {

/// Spearman's: the correlation of two lists' ranks, -1..1; equal values share the mean of their ranks. 0 if
/// one is constant. Both of one length. O(n log n).
double spearman(std::span<const double> a, std::span<const double> b);

/// Pearson's: the correlation of the values themselves, -1..1; 0 if one is constant. O(n).
double pearson(std::span<const double> a, std::span<const double> b);
/// The same if item i stands there times[i] times.
double pearson(std::span<const double> a, std::span<const double> b, std::span<const std::uint32_t> times);

/// Two lists, sorted once: for Spearman's correlation of many draws of their items.
class RankedLists {
 public:
  RankedLists(std::span<const double> a, std::span<const double> b);
  /// If item i stands there times[i] times. O(n).
  double spearman(std::span<const std::uint32_t> times) const;

 private:
  std::vector<std::uint32_t> a_, b_;  // of each item: how many different values are smaller
};

}  // namespace shoal
