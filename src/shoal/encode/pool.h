#pragma once

#include <span>

#include "shoal/core/matrix.h"
#include "shoal/encode/model_folder.h"

namespace shoal {

/// One vector from the vectors of a text's tokens (tokens x hidden), as sentence-transformers' Pooling does:
/// the modes' vectors side by side, modes.size() * hidden numbers. The first `left_out` tokens (a prompt's)
/// do not count, except that the last token is always the last. If no token counts, the vector is zero.
void pool(std::span<const PoolingMode> modes, MatrixView tokens, Index left_out,
          std::span<float> vector);  // out: vector

}  // namespace shoal
