#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "shoal/core/error.h"
#include "shoal/core/matrix.h"
#include "shoal/kernels/kernels.h"
#include "shoal/store/archive/archive.h"

namespace shoal {

/// Each number as 16 bits keep it, so that what is used is what is saved.
inline void round_to_half(Matrix& x) {  // in and out: x
  std::vector<std::uint16_t> half(x.cols());
  for (Index i = 0; i < x.rows(); ++i) {
    kernels().f32_to_f16(x[i].data(), half.data(), x.cols());
    kernels().f16_to_f32(half.data(), x[i].data(), x.cols());
  }
}

/// Error(format) for an empty matrix and for what is no number.
inline Matrix finite_matrix(const ArchiveReader& in, std::string_view name) {
  Matrix out = in.matrix(name);
  bool finite = out.rows() > 0 && out.cols() > 0;
  for (Index i = 0; i < out.rows() * out.cols(); ++i) finite = finite && out.data()[i] - out.data()[i] == 0;
  require(finite, Fault::format,
          in.path().string() + ": " + std::string(name) + " is empty or holds what is no number");
  return out;
}

}  // namespace shoal
