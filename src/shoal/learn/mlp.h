#pragma once

#include <functional>
#include <string>
#include <vector>

#include "shoal/core/random.h"
#include "shoal/core/run.h"
#include "shoal/learn/parameters.h"

namespace shoal {

/// Which hidden numbers are set to 0 in a step; the others are made larger by 1 / (1 - share).
struct Dropout {
  double share = 0;  ///< 0..1
  Seed seed;         ///< a different one each step
};

/// Layers of a multilayer perceptron: each but the last is followed by max(0, x) and, while it learns, by
/// dropout. Its numbers live in Parameters, as "layer0.weight" (outputs x inputs) and "layer0.bias" (1 x
/// outputs) and so on.
class Mlp {
 public:
  /// sizes: inputs, widths of the hidden layers, outputs; at least two, all above 0 (Error(argument)). Adds
  /// the parameters: weights uniform in +-sqrt(6 / inputs) for layers with max(0, x) (He et al. 2015) and
  /// +-1 / sqrt(inputs) for the last, biases 0. PREFIX before each name.
  Mlp(std::vector<Index> sizes, Parameters& parameters, Seed seed, std::string prefix = "");

  /// outputs(x): rows x the last size. In parallel over rows.
  Matrix forward(MatrixView x, const Parameters& parameters, const Run& run = {}) const;

  /// What the loss says of the outputs of some rows, one after another: `outputs` (rows from `first` of the
  /// batch) are replaced by the derivatives of the loss by them; returns the rows' part of the loss.
  using Loss = std::function<double(Index first, MatrixSpan outputs)>;
  /// Adds the gradients of the loss of the batch `x` to the parameters and returns it. Rows are worked on in
  /// parts of kPart, whose sums are folded in order: the same bits for any number of threads. x: batch x
  /// inputs.
  double backward(MatrixView x, Parameters& parameters, const Loss& loss, const Dropout& dropout = {},
                  const Run& run = {}) const;
  static constexpr Index kPart = 64;

  const std::vector<Index>& sizes() const { return sizes_; }

 private:
  std::vector<Index> sizes_;
  Index first_ = 0;  // place of layer0.weight
};

}  // namespace shoal
