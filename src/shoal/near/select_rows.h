#pragma once

#include <vector>

#include "shoal/core/rows.h"

namespace shoal {

/// The chosen rows, in the order given and as often as they are named, as Rows that read through `x` (shared,
/// not copied). Error(argument) if a number is not a row of x.
Rows select_rows(const Rows& x, std::vector<Index> chosen);

}  // namespace shoal
