#pragma once

#include "shoal/core/matrix.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"

namespace shoal {

/// Rows on their first two principal components: rows x 2, zeros where there are fewer columns or rows. Where
/// maps start. `x`: at least 2 rows and a column.
Matrix principal_plane(const Rows& x, const Run& run);

}  // namespace shoal
