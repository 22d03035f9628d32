#include "shoal/store/vectors/tensor_rows_impl.h"

#include <cstring>

#include "shoal/kernels/kernels.h"

namespace shoal {
namespace {

/// Room for rows x cols in `scratch`, which only ever grows.
MatrixSpan room_in(Matrix& scratch, Index rows, Index cols) {
  if (scratch.rows() * scratch.cols() < rows * cols) scratch = Matrix(rows, cols);
  return {scratch.data(), rows, cols, cols};
}

bool aligned(const std::byte* at, std::size_t width) {
  return reinterpret_cast<std::uintptr_t>(at) % width == 0;
}

MatrixView single_block(const std::byte* at, Index count, Index cols, Matrix& scratch) {
  if (aligned(at, sizeof(float))) return {reinterpret_cast<const float*>(at), count, cols, cols};
  const MatrixSpan room = room_in(scratch, count, cols);
  if (count * cols > 0) std::memcpy(room.data, at, count * cols * sizeof(float));
  return room;
}

MatrixView half_block(const std::byte* at, Index count, Index cols, Matrix& scratch) {
  const MatrixSpan room = room_in(scratch, count, cols);
  const Index n = count * cols;
  if (aligned(at, sizeof(std::uint16_t))) {
    kernels().f16_to_f32(reinterpret_cast<const std::uint16_t*>(at), room.data, n);
  } else {
    std::vector<std::uint16_t> copy(n);
    if (n > 0) std::memcpy(copy.data(), at, n * sizeof(std::uint16_t));
    kernels().f16_to_f32(copy.data(), room.data, n);
  }
  return room;
}

}  // namespace

Rows rows_over(std::span<const std::byte> bytes, Index rows, Index cols, Dtype dtype, Space space,
               std::shared_ptr<const void> owner) {
  const std::byte* start = bytes.data();
  const auto block = [=, owner = std::move(owner)](Index first, Index count, Matrix& scratch) {
    if (dtype == Dtype::f32) {
      return single_block(start + first * cols * sizeof(float), count, cols, scratch);
    }
    return half_block(start + first * cols * sizeof(std::uint16_t), count, cols, scratch);
  };
  return Rows(rows, cols, dtype, block, std::move(space));
}

}  // namespace shoal
