#pragma once

#include <cstdint>
#include <vector>

#include "shoal/core/matrix.h"
#include "shoal/kernels/kernels.h"

namespace shoal {

/// Each number as 16 bits keep it, so that what is used is what is saved.
inline void round_to_half(Matrix& x) {  // in and out: x
  std::vector<std::uint16_t> half(x.cols());
  for (Index i = 0; i < x.rows(); ++i) {
    kernels().f32_to_f16(x[i].data(), half.data(), x.cols());
    kernels().f16_to_f32(half.data(), x[i].data(), x.cols());
  }
}

}  // namespace shoal
