#pragma once

#include <optional>
#include <vector>

#include "shoal/core/matrix.h"

namespace shoal {

/// Which column each row is given, so that no column is given twice and the sum of `worth` is largest; a row
/// without one has nothing (there are more rows than columns). worth: rows x cols of finite numbers, 0 or
/// more. Kuhn's Hungarian method with potentials (Munkres 1957), O(n^2 m), n the smaller side. Of equally
/// good matchings always the same one.
std::vector<std::optional<Index>> best_assignment(MatrixView worth);

}  // namespace shoal
