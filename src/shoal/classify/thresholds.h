#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "shoal/classify/calibration.h"
#include "shoal/core/matrix.h"

namespace shoal {

/// From which probability on a row has a label.
enum class ThresholdKind : std::uint8_t {
  best,       ///< one, or one a label: what does better on rows that did not choose it
  one,        ///< the same for all labels
  per_label,  ///< each label its own
  half,       ///< 0.5
};
constexpr auto names_of(ThresholdKind) { return std::array{"best", "one", "per_label", "half"}; }

struct Thresholds {
  ThresholdKind kind = ThresholdKind::half;  ///< never `best`
  std::vector<float> of;                     ///< of each label
  double macro_f1 = 0, micro_f1 = 0;         ///< on rows of folds that did not choose them
};

/// Mean F1 over labels, a label that is neither true nor said anywhere counting 0, and F1 of all decisions.
struct F1 {
  double macro = 0, micro = 0;
};
F1 f1_of(const Matrix& probabilities, const Truth& truth, std::span<const float> thresholds);

/// Those of one kind (not `best`), where they do best on these rows.
std::vector<float> best_thresholds(ThresholdKind kind, const Matrix& probabilities, const Truth& truth);

/// Chooses thresholds for F1 on rows that the probabilities were not fitted on: one: the macro and micro F1
/// together are largest (their mean); per_label: each label's F1. best: each is chosen on all folds but one
/// and judged on that one; the better mean of macro and micro F1 wins, ties: one. fold: of each row.
/// O(rows labels log rows).
Thresholds choose_thresholds(ThresholdKind kind, const Matrix& probabilities, const Truth& truth,
                             std::span<const std::uint32_t> fold);

}  // namespace shoal
