#pragma once

#include <span>

namespace shoal {

/// Spearman's: the correlation of two lists' ranks, -1..1; equal values share the mean of their ranks. 0 if
/// one is constant. Both of one length. O(n log n).
double spearman(std::span<const double> a, std::span<const double> b);

}  // namespace shoal
