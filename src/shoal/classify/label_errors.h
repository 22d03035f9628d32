#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "shoal/classify/calibration.h"
#include "shoal/classify/label_sets.h"
#include "shoal/core/matrix.h"

namespace shoal {

/// A row whose label others contradict.
struct LabelError {
  Index row = 0;
  Label given = kNoise;      ///< the label in doubt; kNoise: one is missing (multilabel)
  Label suggested = kNoise;  ///< what it would be; kNoise: not that one (multilabel)
  double given_probability = 0, suggested_probability = 0;

  double doubt() const { return suggested_probability - given_probability; }
};

/// Confident learning (Northcutt, Jiang, Chuang, JAIR 2021): a label is said of a row with confidence if its
/// probability is at least the mean that rows with that label have. Rows of which another label is said with
/// confidence (of several the most probable) are returned, the greatest doubt first, ties by row. multilabel:
/// each label by itself, as a question with the answers yes and no. probabilities: rows x labels, by fits
/// that did not see the row; judged: rows that count. O(rows labels).
std::vector<LabelError> label_errors(HeadTask task, const Matrix& probabilities, const LabelSets& sets,
                                     std::span<const std::uint8_t> judged);

}  // namespace shoal
