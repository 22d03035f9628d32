#pragma once

#include <vector>

#include "shoal/core/matrix.h"
#include "shoal/core/random.h"

namespace shoal {

/// min(rows, wanted) of the rows 0..rows-1, drawn by the seed without repetition, ascending. O(rows log
/// rows).
std::vector<Index> drawn_rows(Index rows, Index wanted, Seed seed);

}  // namespace shoal
