#pragma once

#include <vector>

namespace shoal {

/// How rows are moved before squared distances are taken: (x - shift) * scale. What rounding does to a
/// distance then depends on how the rows spread, not on where they lie.
struct ShiftScale {
  std::vector<float> shift;  ///< the mean of the rows; empty (none) where it makes no difference
  float scale = 1;           ///< a power of two, so that it changes no digit
};

}  // namespace shoal
