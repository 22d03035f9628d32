#pragma once

#include <span>
#include <vector>

#include "shoal/core/labels.h"
#include "shoal/core/matrix.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"

namespace shoal {

/// Rows and their classes, 0..weight.size()-1; a row labelled kNoise counts nothing.
struct SoftmaxTask {
  const Rows& x;
  std::span<const Label> labels;
  std::span<const double> weight;  ///< of each class
};

/// Sums over rows, each times the weight of its class.
struct SoftmaxSums {
  double loss = 0;               ///< -log p(label)
  std::vector<double> products;  ///< (p - y)^T x, classes x d
  std::vector<double> errors;    ///< p - y, classes
};

/// With p = softmax(coefficients x + intercepts). Two products a block of rows, in float; blocks are added in
/// double in order. O(rows d classes).
SoftmaxSums softmax_sums(const SoftmaxTask& task, const Matrix& coefficients,
                         std::span<const float> intercepts, const Run& run);

}  // namespace shoal
