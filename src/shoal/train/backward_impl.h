#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "shoal/core/matrix.h"
#include "shoal/core/random.h"
#include "shoal/core/run.h"
#include "shoal/kernels/kernels.h"
#include "shoal/learn/parameters.h"
#include "shoal/linear/product.h"

namespace shoal {

/// c = a b + bias, rows in parallel.
void product(MatrixView a, const Packed& b, std::span<const float> bias, MatrixSpan c,
             const Run& run);  // out: c

// What adds to a parameter's gradient does nothing if it does not learn.

/// gradient += slope^T x, of the weight of y = x W^T. slope: rows x outputs, x: rows x inputs.
void add_weight_gradient(MatrixView slope, MatrixView x, Parameter& weight,
                         const Run& run);  // in and out: weight
/// gradient += sum of the rows.
void add_row_sum(MatrixView rows, Parameter& bias, const Run& run);  // in and out: bias

/// Row by row out = norm(x); in place is allowed.
void layer_norm_rows(MatrixView x, std::span<const float> gamma, std::span<const float> beta, float epsilon,
                     MatrixSpan out, const Run& run);  // out: out
/// slope: of the loss by norm(x); becomes that by x. To the gradients of scale (gamma) and shift is added.
void layer_norm_back(MatrixView x, std::span<const float> gamma, float epsilon, MatrixSpan slope,
                     Parameter& scale, Parameter& shift,
                     const Run& run);  // in and out: slope, gradients
/// slope *= the activation's derivative at x.
void activation_back(Activation activation, MatrixView x, MatrixSpan slope,
                     const Run& run);  // in and out: slope

/// Which numbers dropout sets to 0, by their places: a draw gives 16 bits to each of four.
class Dropped {
 public:
  Dropped(double share, Seed seed);
  /// x: numbers from `place` on.
  void times(Index place, std::span<float> x) const;  // in and out: x

 private:
  Random random_;
  std::uint32_t least_;
  float kept_;
};

/// Sets a share of the numbers to 0, by their places, and lets the others grow.
void drop(MatrixSpan x, double share, Seed seed, const Run& run);  // in and out: x

}  // namespace shoal
