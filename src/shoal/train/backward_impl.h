#pragma once

#include <span>
#include <vector>

#include "shoal/core/matrix.h"
#include "shoal/core/random.h"
#include "shoal/core/run.h"
#include "shoal/kernels/kernels.h"
#include "shoal/linear/product.h"

namespace shoal {

/// c = a b + bias, rows in parallel.
void product(MatrixView a, const Packed& b, std::span<const float> bias, MatrixSpan c,
             const Run& run);  // out: c
/// to += slope^T x: the gradient of the weight of y = x W^T. slope: rows x outputs, x: rows x inputs.
void add_weight_gradient(MatrixView slope, MatrixView x, MatrixSpan to, const Run& run);  // in and out: to
/// to += sum of the rows.
void add_row_sum(MatrixView rows, std::span<float> to, const Run& run);  // in and out: to

/// Row by row out = norm(x); in place is allowed.
void layer_norm_rows(MatrixView x, std::span<const float> gamma, std::span<const float> beta, float epsilon,
                     MatrixSpan out, const Run& run);  // out: out
/// slope: of the loss by norm(x); becomes that by x. gamma's and beta's gradients are added to.
void layer_norm_back(MatrixView x, std::span<const float> gamma, float epsilon, MatrixSpan slope,
                     std::span<float> gamma_gradient, std::span<float> beta_gradient,
                     const Run& run);  // in and out: slope, gradients
/// slope *= the activation's derivative at x.
void activation_back(Activation activation, MatrixView x, MatrixSpan slope,
                     const Run& run);  // in and out: slope

/// Sets a share of the numbers to 0, by their places, and lets the others grow.
void drop(MatrixSpan x, double share, Seed seed, const Run& run);  // in and out: x

}  // namespace shoal
