#pragma once

#include <span>
#include <vector>

#include "shoal/core/activation.h"
#include "shoal/core/matrix.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"

namespace shoal {

/// A right-hand side packed once for many products: n outputs of k terms. 4 n k bytes, rounded up.
class Packed {
 public:
  Packed() = default;
  /// Rows of `b` are the outputs: x * b^T.
  static Packed rows(MatrixView b);
  static Packed rows(const Matrix& b) { return rows(b.view()); }
  /// Columns of `b` are the outputs: x * b.
  static Packed columns(MatrixView b);
  Index outputs() const { return outputs_; }
  Index terms() const { return terms_; }
  const float* data() const { return data_.data(); }

 private:
  Index outputs_ = 0, terms_ = 0;
  Matrix data_;  // aligned
};

/// c = act(a b + bias), a: m x terms, c: m x outputs, in the calling thread. bias: outputs long or empty.
/// Error(argument) if the shapes do not fit.
void multiply(MatrixView a, const Packed& b, std::span<const float> bias, Activation act,
              MatrixSpan c);  // out: c

/// c = a^T b, in the calling thread: a: m x p, b: m x q, c: p x q. Error(argument) if the shapes do not fit.
void multiply_transposed(MatrixView a, MatrixView b, MatrixSpan c);  // out: c

/// (x - shift)^T (x - shift) in double, cols x cols, symmetric; rows read block by block, in parallel, folded
/// in order: O(n d^2). Float products are summed over at most 256 rows before they go to double. shift: cols
/// long or empty. Memory: at most 32 partial sums of 8 cols^2 bytes.
std::vector<double> gram(const Rows& x, std::span<const float> shift, const Run& run);

}  // namespace shoal
