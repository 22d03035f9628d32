#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "shoal/core/matrix.h"

namespace shoal {

/// How well a score tells pairs that belong together (positives) from others.
struct PairScores {
  double accuracy = 0;            ///< with the threshold that makes it largest
  double accuracy_threshold = 0;  ///< scores from here on are taken for positives
  double f1 = 0;                  ///< with the threshold that makes it largest
  double f1_threshold = 0;
  double precision = 0, recall = 0;  ///< with f1_threshold
  double mcc = 0;                    ///< Matthews correlation with f1_threshold, -1..1
  double ap = 0;                     ///< average precision: the mean precision over recall, ties as one step
};

/// Pairs in the order of their scores, sorted once: for the scores of many draws of them.
class ScoredPairs {
 public:
  /// scores: more is more alike. positive: 1 or 0 of each. Both of one length.
  ScoredPairs(std::span<const double> scores, std::span<const std::uint8_t> positive);

  /// Equal to sentence-transformers' BinaryClassificationEvaluator; of equally good thresholds the highest.
  /// Thresholds lie half-way to the next lower score. Without positives all but accuracy is 0. O(n log n).
  PairScores all() const;
  /// The same if pair i stands there times[i] times. O(n).
  PairScores of(std::span<const std::uint32_t> times) const;

 private:
  std::vector<double> scores_;
  std::vector<std::uint8_t> positive_;
  std::vector<Index> order_;  // best first
};

/// Average precision alone, as scikit-learn has it.
double average_precision(std::span<const double> scores, std::span<const std::uint8_t> positive);

}  // namespace shoal
