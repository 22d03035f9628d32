#include "shoal/linear/product.h"

#include <algorithm>
#include <string>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/kernels/kernels.h"

namespace shoal {
namespace {

Matrix packed_block(const float* b, Index outputs, Index terms, Index output_stride, Index term_stride) {
  const Kernels& k = kernels();
  Matrix data(1, k.pack_size(outputs, terms));
  k.pack(b, outputs, terms, output_stride, term_stride, data.data());
  return data;
}

}  // namespace

Packed Packed::rows(MatrixView b) {
  Packed p;
  p.outputs_ = b.rows, p.terms_ = b.cols;
  p.data_ = packed_block(b.data, b.rows, b.cols, b.stride, 1);
  return p;
}

Packed Packed::columns(MatrixView b) {
  Packed p;
  p.outputs_ = b.cols, p.terms_ = b.rows;
  p.data_ = packed_block(b.data, b.cols, b.rows, 1, b.stride);
  return p;
}

void multiply(MatrixView a, const Packed& b, std::span<const float> bias, Activation act, MatrixSpan c) {
  if (a.cols != b.terms() || c.cols != b.outputs() || c.rows != a.rows)
    throw Error(Fault::argument, "multiply: " + std::to_string(a.rows) + " x " + std::to_string(a.cols) +
                                     " by " + std::to_string(b.terms()) + " x " +
                                     std::to_string(b.outputs()) + " does not give " +
                                     std::to_string(c.rows) + " x " + std::to_string(c.cols));
  if (!bias.empty() && bias.size() != b.outputs())
    throw Error(Fault::argument, "multiply: a bias of " + std::to_string(bias.size()) + " values for " +
                                     std::to_string(b.outputs()) + " outputs");
  kernels().gemm(a.data, a.stride, b.data(), a.rows, b.outputs(), b.terms(),
                 bias.empty() ? nullptr : bias.data(), act, c.data, c.stride);
}

void multiply_transposed(MatrixView a, MatrixView b, MatrixSpan c) {
  Matrix turned(a.cols, a.rows);
  for (Index i = 0; i < a.rows; ++i)
    for (Index j = 0; j < a.cols; ++j) turned[j][i] = a[i][j];
  multiply(turned.view(), Packed::columns(b), {}, Activation::none, c);
}

}  // namespace shoal
