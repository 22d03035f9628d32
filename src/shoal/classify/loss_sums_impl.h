#pragma once

#include <functional>
#include <span>
#include <vector>

#include "shoal/core/labels.h"
#include "shoal/core/matrix.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"

namespace shoal {

/// Sums over rows of a loss of linear logits, coefficients x + intercepts, and of its derivatives.
struct LossSums {
  double loss = 0;
  std::vector<double> products;  ///< of the coefficients: (derivative by the logit) times x; outputs x d
  std::vector<double> errors;    ///< of the intercepts: derivatives by the logits; outputs
};

/// The loss of the rows from `first` on. In: their logits; out: the derivatives by them, 0 where a row does
/// not count. Called from many threads at once, with at most 256 rows.
using BlockLoss = std::function<double(Index first, MatrixSpan logits)>;

/// Two products a block of rows, in float; blocks are added in double in order. O(rows d outputs).
LossSums loss_sums(const Rows& x, const Matrix& coefficients, std::span<const float> intercepts,
                   const BlockLoss& loss, const Run& run);

/// -log p(label), p = softmax(logits), times the weight of the class. labels: 0..weight.size()-1, or kNoise
/// for a row that counts nothing. Both must outlive what is returned.
BlockLoss softmax_loss(std::span<const Label> labels, std::span<const double> weight);

/// Of each label: how much a row with it counts, and one without.
struct SidesWeight {
  double with = 1, without = 1;
};
/// log(1 + exp(z)) - [has it] z of every logit, times the weight of its side. sets: the labels of each row,
/// 0..weight.size()-1. Both must outlive what is returned.
BlockLoss sigmoid_loss(const std::vector<std::vector<Index>>& sets, const std::vector<SidesWeight>& weight);

}  // namespace shoal
