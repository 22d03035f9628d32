#include <algorithm>

#include "shoal/core/chunks.h"
#include "shoal/measure/double_product_impl.h"

namespace shoal {
namespace {

constexpr Index kRows = DoubleProduct::kRows;
constexpr Index kColumns = 4;

/// kRows x kColumns sums side by side: with their factors they fit the registers of every x86-64.
void tile(const double* a, Index terms, const double* panel, double* out) {
  double sum[kRows][kColumns] = {};
  for (Index t = 0; t < terms; ++t)
    for (Index r = 0; r < kRows; ++r)
      for (Index j = 0; j < kColumns; ++j) sum[r][j] += a[r * terms + t] * panel[t * kColumns + j];
  for (Index r = 0; r < kRows; ++r) std::copy_n(sum[r], kColumns, out + r * kColumns);
}

}  // namespace

DoubleProduct::DoubleProduct(std::span<const double> b, Index outputs, Index terms)
    : outputs_(outputs), terms_(terms), packed_(chunk_count(outputs, kColumns) * kColumns * terms) {
  for (Index j = 0; j < outputs; ++j)
    for (Index t = 0; t < terms; ++t)
      packed_[(j / kColumns * terms + t) * kColumns + j % kColumns] = b[j * terms + t];
}

void DoubleProduct::operator()(std::span<const double> a, Index rows, std::span<double> c) const {
  double out[kRows * kColumns];
  for (Index j = 0; j < outputs_; j += kColumns)
    for (Index i = 0; i < rows; i += kRows) {
      tile(a.data() + i * terms_, terms_, packed_.data() + j * terms_, out);
      for (Index r = 0; r < kRows; ++r)
        std::copy_n(out + r * kColumns, std::min(kColumns, outputs_ - j), c.data() + (i + r) * outputs_ + j);
    }
}

}  // namespace shoal
