#pragma once

#include <cstddef>
#include <span>
#include <type_traits>
#include <vector>

namespace shoal {

using Index = std::size_t;  ///< counts rows, columns, positions; never a label

/// A borrowed row-major block of numbers: rows x cols, `stride` elements from one row to the next.
template <class T>
struct View {
  T* data = nullptr;
  Index rows = 0, cols = 0, stride = 0;

  std::span<T> operator[](Index row) const { return {data + row * stride, cols}; }
  View slice(Index first, Index count) const { return {data + first * stride, count, cols, stride}; }
  operator View<const T>() const requires(!std::is_const_v<T>) { return {data, rows, cols, stride}; }
};

using MatrixView = View<const float>;
using MatrixSpan = View<float>;

/// An owned row-major block of floats, zero-filled, stride == cols, first element at a 64-byte boundary.
class Matrix {
 public:
  Matrix() = default;
  /// Error(argument) if rows * cols does not fit the address space.
  Matrix(Index rows, Index cols);
  Matrix(const Matrix& other);
  Matrix& operator=(const Matrix& other);
  Matrix(Matrix&& other) noexcept;
  Matrix& operator=(Matrix&& other) noexcept;
  ~Matrix();

  Index rows() const { return rows_; }
  Index cols() const { return cols_; }
  /// The matrix must outlive what borrows from it: nothing borrows from a temporary.
  float* data() & { return data_; }
  const float* data() const& { return data_; }
  const float* data() const&& = delete;
  std::span<float> operator[](Index row) & { return {data_ + row * cols_, cols_}; }
  std::span<const float> operator[](Index row) const& { return {data_ + row * cols_, cols_}; }
  std::span<const float> operator[](Index row) const&& = delete;
  MatrixSpan span() & { return {data_, rows_, cols_, cols_}; }
  MatrixSpan span() && = delete;
  MatrixView view() const& { return {data_, rows_, cols_, cols_}; }
  MatrixView view() const&& = delete;

 private:
  float* data_ = nullptr;
  Index rows_ = 0, cols_ = 0;
};

/// Equal shape and equal values (so NaN differs from itself and -0 equals 0).
bool operator==(const Matrix& a, const Matrix& b);

}  // namespace shoal
