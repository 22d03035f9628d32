#pragma once

#include <vector>

#include "shoal/core/rows.h"

namespace shoal {

/// Rows of which no two are equal, and for each row its place among them.
struct Distinct {
  Rows rows;  ///< the first of each, in their order; read through `x`
  std::vector<Index> of;
};

/// The different rows of `x`, compared number by number (-0 and 0 differ). Reads x once, and 24 bytes a row.
Distinct distinct_rows(const Rows& x);

}  // namespace shoal
