#pragma once

#include <string>
#include <vector>

#include "shoal/core/matrix.h"
#include "shoal/core/texts.h"

namespace shoal {

/// The ranges by which percentiles are shown where the high ones are what matters, from low to high.
const std::vector<std::string>& percentile_ranges();

/// Of each row the name of its range. percentiles: rows x 1, 0 to 1.
Texts percentile_bins(const Matrix& percentiles, Index first, Index count);

}  // namespace shoal
