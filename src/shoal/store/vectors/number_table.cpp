#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <type_traits>

#include "shoal/core/error.h"
#include "shoal/kernels/kernels.h"
#include "shoal/store/archive/safetensors_impl.h"
#include "shoal/store/vectors/number_type.h"

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

/// The bytes of a number, turned round if they are big endian.
template <class T>
T read(const std::byte* at, bool turned) {
  std::byte own[sizeof(T)];
  for (std::size_t i = 0; i < sizeof(T); ++i) own[i] = at[turned ? sizeof(T) - 1 - i : i];
  T out;
  std::memcpy(&out, own, sizeof out);
  return out;
}

/// `count` numbers as float32, side by side. Returns the place of the first beyond its range; count: none is.
template <class T>
Index convert_numbers(const std::byte* from, Index count, bool turned, float* out) {
  Index bad = count;
  for (Index i = 0; i < count; ++i) {
    const T x = read<T>(from + i * sizeof(T), turned);
    out[i] = static_cast<float>(x);
    if constexpr (sizeof(T) == 8 && std::is_floating_point_v<T>)
      if (std::isinf(out[i]) && !std::isinf(x) && bad == count) bad = i;
  }
  return bad;
}

Index convert_halves(const std::byte* from, Index count, bool turned, bool brain, float* out) {
  const auto convert = brain ? kernels().bf16_to_f32 : kernels().f16_to_f32;
  constexpr Index kAtOnce = 256;  // through a small aligned copy: a table may start at any byte
  std::uint16_t halves[kAtOnce];
  for (Index first = 0; first < count; first += kAtOnce) {
    const Index n = std::min(kAtOnce, count - first);
    for (Index i = 0; i < n; ++i) halves[i] = read<std::uint16_t>(from + 2 * (first + i), turned);
    convert(halves, out + first, n);
  }
  return count;
}

Index convert(const NumberType& type, const std::byte* from, Index count, float* out) {
  const bool turned = type.big_endian;
  switch (type.type) {
    case TensorType::f64:
      return convert_numbers<double>(from, count, turned, out);
    case TensorType::f32:
      return convert_numbers<float>(from, count, turned, out);
    case TensorType::f16:
    case TensorType::bf16:
      return convert_halves(from, count, turned, type.type == TensorType::bf16, out);
    case TensorType::i64:
      return convert_numbers<std::int64_t>(from, count, turned, out);
    case TensorType::i32:
      return convert_numbers<std::int32_t>(from, count, turned, out);
    case TensorType::i16:
      return convert_numbers<std::int16_t>(from, count, turned, out);
    case TensorType::i8:
      return convert_numbers<std::int8_t>(from, count, turned, out);
    case TensorType::u64:
      return convert_numbers<std::uint64_t>(from, count, turned, out);
    case TensorType::u32:
      return convert_numbers<std::uint32_t>(from, count, turned, out);
    case TensorType::u16:
      return convert_numbers<std::uint16_t>(from, count, turned, out);
    case TensorType::u8:
      return convert_numbers<std::uint8_t>(from, count, turned, out);
    case TensorType::boolean:
      for (Index i = 0; i < count; ++i) out[i] = from[i] == std::byte{0} ? 0.0f : 1.0f;
      return count;
  }
  return count;
}

[[noreturn]] void too_large(const NumberTable& table, const std::string& where, Index row, Index col) {
  const Index place = table.by_columns ? col * table.rows + row : row * table.cols + col;
  const auto x = read<double>(table.bytes.data() + place * sizeof(double), table.type.big_endian);
  char shown[40];
  std::snprintf(shown, sizeof shown, "%.6g", x);
  throw Error(Fault::data,
              where + ": row " + std::to_string(row) + ", column " + std::to_string(col) + " holds " + shown +
                  ", beyond the range of float32 (3.4e38), in which shoal computes",
              "scale the columns before, as by their standard deviations");
}

MatrixView by_rows(const NumberTable& table, const std::string& where, Index first, Index count,
                   Matrix& scratch) {
  const Index n = count * table.cols;
  const std::byte* at = table.bytes.data() + first * table.cols * bytes_of(table.type.type);
  if (table.type.type == TensorType::f32 && !table.type.big_endian && aligned(at, sizeof(float)))
    return {reinterpret_cast<const float*>(at), count, table.cols, table.cols};
  const MatrixSpan room = room_in(scratch, count, table.cols);
  if (table.type.type == TensorType::f16 && !table.type.big_endian && aligned(at, sizeof(std::uint16_t))) {
    kernels().f16_to_f32(reinterpret_cast<const std::uint16_t*>(at), room.data, n);
    return room;
  }
  const Index bad = convert(table.type, at, n, room.data);
  if (bad < n) too_large(table, where, first + bad / table.cols, bad % table.cols);
  return room;
}

/// Turns tiles, so that neither the file nor the rows are walked through with one number a page.
MatrixView by_columns(const NumberTable& table, const std::string& where, Index first, Index count,
                      Matrix& scratch) {
  const MatrixSpan room = room_in(scratch, count, table.cols);
  constexpr Index kTile = 64;
  float run[kTile];
  Index bad_row = count, bad_col = 0;
  for (Index row = 0; row < count; row += kTile) {
    const Index n = std::min(kTile, count - row);
    for (Index col = 0; col < table.cols; ++col) {
      const Index bad =
          convert(table.type,
                  table.bytes.data() + (col * table.rows + first + row) * bytes_of(table.type.type), n, run);
      if (bad < n && row + bad < bad_row) bad_row = row + bad, bad_col = col;
      for (Index i = 0; i < n; ++i) room.data[(row + i) * table.cols + col] = run[i];
    }
    if (bad_row < count) too_large(table, where, first + bad_row, bad_col);
  }
  return room;
}

}  // namespace

const char* NumberType::name() const {
  switch (type) {
    case TensorType::f64:
      return "float64";
    case TensorType::f32:
      return "float32";
    case TensorType::f16:
      return "float16";
    case TensorType::bf16:
      return "bfloat16";
    case TensorType::i64:
      return "int64";
    case TensorType::i32:
      return "int32";
    case TensorType::i16:
      return "int16";
    case TensorType::i8:
      return "int8";
    case TensorType::u64:
      return "uint64";
    case TensorType::u32:
      return "uint32";
    case TensorType::u16:
      return "uint16";
    case TensorType::u8:
      return "uint8";
    case TensorType::boolean:
      return "bool";
  }
  return "";
}

Index narrow(const std::byte* from, Index count, float* out) {
  return convert_numbers<double>(from, count, false, out);
}

Rows rows_over(const NumberTable& table, Space space, const std::string& where,
               std::shared_ptr<const void> owner) {
  const auto block = [=, owner = std::move(owner)](Index first, Index count, Matrix& scratch) {
    return table.by_columns ? by_columns(table, where, first, count, scratch)
                            : by_rows(table, where, first, count, scratch);
  };
  const bool half = table.type.type == TensorType::f16, single = table.type.type == TensorType::f32;
  Rows rows(table.rows, table.cols, half ? Dtype::f16 : Dtype::f32, block, std::move(space));
  return half || single ? rows : rows.converted(table.type.name());
}

}  // namespace shoal
