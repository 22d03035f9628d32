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

/// A matrix in an archive with 16 bits a number: tensor NAME has two of them in an int32, the first in the
/// lower half (NumPy: NAME.view("<f2")), and NAME.shape has rows and columns.
inline void add_half(ArchiveWriter& out, std::string_view name, const Matrix& x) {
  const Index n = x.rows() * x.cols();
  std::vector<std::uint16_t> half(n + n % 2);
  kernels().f32_to_f16(x.data(), half.data(), n);
  std::vector<std::int32_t> pairs;
  for (Index i = 0; i < half.size(); i += 2)
    pairs.push_back(static_cast<std::int32_t>(half[i] | std::uint32_t{half[i + 1]} << 16));
  out.add(name, std::span<const std::int32_t>(pairs));
  const std::vector<std::int64_t> shape{static_cast<std::int64_t>(x.rows()),
                                        static_cast<std::int64_t>(x.cols())};
  out.add(std::string(name) + ".shape", std::span<const std::int64_t>(shape));
}

inline Matrix half_matrix(const ArchiveReader& in, std::string_view name) {
  const auto shape = in.integers(std::string(name) + ".shape");
  const auto pairs = in.integers(name);
  constexpr std::int64_t kMost = 1 << 20;
  require(shape.size() == 2 && shape[0] > 0 && shape[1] > 0 && shape[0] < kMost && shape[1] < kMost &&
              (shape[0] * shape[1] + 1) / 2 == static_cast<std::int64_t>(pairs.size()),
          Fault::format,
          in.path().string() + ": " + std::string(name) + " is not as large as its shape says");
  std::vector<std::uint16_t> half;
  for (const std::int64_t pair : pairs) {
    half.push_back(static_cast<std::uint16_t>(pair & 0xffff));
    half.push_back(static_cast<std::uint16_t>(pair >> 16 & 0xffff));
  }
  Matrix out(static_cast<Index>(shape[0]), static_cast<Index>(shape[1]));
  kernels().f16_to_f32(half.data(), out.data(), out.rows() * out.cols());
  for (Index i = 0; i < out.rows() * out.cols(); ++i)
    require(out.data()[i] - out.data()[i] == 0, Fault::format,
            in.path().string() + ": " + std::string(name) + " holds what is no number");
  return out;
}

}  // namespace shoal
