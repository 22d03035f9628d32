#include "shoal/encode/attention.h"

#include <algorithm>
#include <cmath>

#include "shoal/kernels/kernels.h"

namespace shoal {

float* AttentionScratch::grow(Matrix& block, Index count) {
  if (block.cols() < count) block = Matrix(1, count);
  return block.data();
}

void attend(MatrixView qkv, Index heads, const Matrix* bias, AttentionScratch& scratch, MatrixSpan context,
            const TakeScores* take) {
  constexpr Index kQueries = 64;  // scores of a block stay in the nearest caches
  const Kernels& kernel = kernels();
  const Index tokens = qkv.rows, hidden = context.cols, size = hidden / heads;
  const float factor = 1.0f / std::sqrt(static_cast<float>(size));
  float* keys = scratch.keys(kernel.pack_size(tokens, size));
  float* values = scratch.values(kernel.pack_size(size, tokens));
  float* scores = scratch.scores(std::min(kQueries, tokens) * tokens);

  for (Index head = 0; head < heads; ++head) {
    const float* query = qkv.data + head * size;
    kernel.pack(query + hidden, tokens, size, qkv.stride, 1, keys);
    if (context.data != nullptr) kernel.pack(query + 2 * hidden, size, tokens, 1, qkv.stride, values);
    for (Index first = 0; first < tokens; first += kQueries) {
      const Index count = std::min(kQueries, tokens - first);
      kernel.gemm(query + first * qkv.stride, qkv.stride, keys, count, tokens, size, nullptr,
                  Activation::none, scores, tokens);
      for (Index i = 0; i < count; ++i) {
        float* row = scores + i * tokens;
        if (bias) {
          kernel.scale(factor, row, tokens);
          kernel.axpy(1.0f, (*bias)[head].data() + bias->cols() / 2 - (first + i), row, tokens);
        }
        kernel.softmax(bias ? 1.0f : factor, row, tokens);
      }
      if (take != nullptr) (*take)(head, first, {scores, count, tokens, tokens});
      if (context.data == nullptr) continue;
      kernel.gemm(scores, tokens, values, count, size, tokens, nullptr, Activation::none,
                  context.data + first * context.stride + head * size, context.stride);
    }
  }
}

}  // namespace shoal
