#pragma once

#include <functional>

#include "shoal/core/matrix.h"

namespace shoal {

/// Memory for `attend`, one a thread; grows as needed.
class AttentionScratch {
 public:
  /// At least `count` floats at a 64-byte boundary; the content is lost when it grows.
  float* keys(Index count) { return grow(keys_, count); }
  float* values(Index count) { return grow(values_, count); }
  float* scores(Index count) { return grow(scores_, count); }

 private:
  static float* grow(Matrix& block, Index count);
  Matrix keys_, values_, scores_;
};

/// Takes the probabilities of a head for the queries first, first + 1, ... of one text: a row a query, a
/// column a key. They are gone when it returns.
using TakeScores = std::function<void(Index head, Index first, MatrixView scores)>;

/// Self-attention of one text (Vaswani et al., 2017), all heads.
/// qkv: tokens x 3 * hidden, a token's query, key and value side by side, each `heads` parts of hidden /
/// heads. bias: null, or heads x (2 * positions - 1): what is added to a head's scaled score for key minus
/// query position -(positions - 1)..positions - 1; tokens <= positions. context: tokens x hidden, out.
/// `take`, if given, is shown the probabilities; then context.data may be null, and nothing else is computed.
/// O(tokens^2 hidden).
void attend(MatrixView qkv, Index heads, const Matrix* bias, AttentionScratch& scratch, MatrixSpan context,
            const TakeScores* take = nullptr);  // out: context

}  // namespace shoal
