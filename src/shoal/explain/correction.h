#pragma once

#include <cstdint>
#include <vector>

#include "shoal/core/names.h"

namespace shoal {

/// What makes up for many tests at once. Bonferroni and Holm hold the chance of any false find at the level,
/// Holm never with larger values than Bonferroni; Benjamini-Hochberg holds the share of false ones among all
/// finds.
enum class Correction : std::uint8_t { holm, bonferroni, benjamini_hochberg, none };
constexpr auto names_of(Correction) { return std::array{"holm", "bonferroni", "bh", "none"}; }

/// p-values that may be compared with the level as if each were the only test: each at least as large as it
/// was, at most 1. NaN stands for a test that could not be made: it stays and is not counted.
std::vector<double> corrected_p_values(const std::vector<double>& p, Correction correction);

}  // namespace shoal
