#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "shoal/core/matrix.h"

namespace shoal {

/// Losses of a cross-encoder, of its logits: those of sentence-transformers' CrossEncoder.
enum class CrossLoss : std::uint8_t {
  bce,  ///< BinaryCrossEntropyLoss: a target 0..1 a pair, one label
  mse,  ///< MSELoss: a number a pair, one label
  ce    ///< CrossEntropyLoss: the place of the right label a pair, several labels
};
constexpr auto names_of(CrossLoss) {
  return std::array{"BinaryCrossEntropyLoss", "MSELoss", "CrossEntropyLoss"};
}

struct CrossLossValue {
  double loss = 0;  ///< mean over the pairs
  Matrix slope;     ///< of it by each logit: pairs x labels
};

/// What this loss takes instead, if it cannot take this target: "0..1". Empty: it can.
std::string targets_instead(CrossLoss kind, double target, Index labels);

/// logits: pairs x labels, targets: pairs x 1. positive_weight: of bce, how much a target of 1 counts beside
/// one of 0 (pos_weight). Sums in double, in the order of the pairs. Error(argument) if there are no pairs,
/// if their number or the labels do not fit; Error(data) naming the row, from 0, of a target that the loss
/// cannot take.
CrossLossValue cross_loss(CrossLoss kind, MatrixView logits, MatrixView targets, double positive_weight = 1);

}  // namespace shoal
