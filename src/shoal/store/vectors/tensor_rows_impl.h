#pragma once

#include <memory>
#include <span>

#include "shoal/core/rows.h"

namespace shoal {

/// Rows over row-major little-endian numbers of `dtype` at `bytes`, of any alignment; `owner` is kept as long
/// as the Rows live. `bytes` must hold rows x cols numbers.
Rows rows_over(std::span<const std::byte> bytes, Index rows, Index cols, Dtype dtype, Space space,
               std::shared_ptr<const void> owner);

}  // namespace shoal
