#include "shoal/core/matrix.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <string>
#include <utility>

#include "shoal/core/error.h"

namespace shoal {
namespace {

constexpr Index kAlignment = 64;

float* allocate(Index rows, Index cols) {
  if (rows == 0 || cols == 0) return nullptr;
  constexpr Index kMost = std::numeric_limits<std::ptrdiff_t>::max() / sizeof(float) - kAlignment;
  require(rows <= kMost / cols, Fault::argument,
          "a matrix of " + std::to_string(rows) + " x " + std::to_string(cols) + " does not fit in memory");
  // calloc gives large blocks as the system's zero pages, which take memory only where they are written. What
  // it gave stands before the first element, for free.
  auto* const given = static_cast<std::byte*>(std::calloc(rows * cols * sizeof(float) + kAlignment, 1));
  if (given == nullptr) throw std::bad_alloc();
  std::byte* const first = given + kAlignment - reinterpret_cast<std::uintptr_t>(given) % kAlignment;
  std::memcpy(first - sizeof given, &given, sizeof given);
  return reinterpret_cast<float*>(first);
}

void release(float* first) {
  if (first == nullptr) return;
  void* given = nullptr;
  std::memcpy(&given, reinterpret_cast<std::byte*>(first) - sizeof given, sizeof given);
  std::free(given);
}

}  // namespace

Matrix::Matrix(Index rows, Index cols) : data_(allocate(rows, cols)), rows_(rows), cols_(cols) {}

Matrix::Matrix(const Matrix& other) : Matrix(other.rows_, other.cols_) {
  std::copy_n(other.data_, rows_ * cols_, data_);
}

Matrix& Matrix::operator=(const Matrix& other) {
  if (this != &other) *this = Matrix(other);
  return *this;
}

Matrix::Matrix(Matrix&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      rows_(std::exchange(other.rows_, 0)),
      cols_(std::exchange(other.cols_, 0)) {}

Matrix& Matrix::operator=(Matrix&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(rows_, other.rows_);
  std::swap(cols_, other.cols_);
  return *this;
}

Matrix::~Matrix() { release(data_); }

bool operator==(const Matrix& a, const Matrix& b) {
  return a.rows() == b.rows() && a.cols() == b.cols() &&
         std::equal(a.data(), a.data() + a.rows() * a.cols(), b.data());
}

}  // namespace shoal
