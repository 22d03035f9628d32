#pragma once

#include <span>

#include "shoal/core/matrix.h"
#include "shoal/encode/model_folder.h"

namespace shoal {

/// The backward pass of pool() of one text: slope, of the loss by its vector (modes x hidden), gives those by
/// its tokens' states, tokens x hidden, which are added to `to`. states: what was pooled, for max.
void pool_back(std::span<const PoolingMode> modes, MatrixView states, Index left_out,
               std::span<const float> slope, MatrixSpan to);  // in and out: to

}  // namespace shoal
