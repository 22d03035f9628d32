#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "shoal/core/labels.h"
#include "shoal/core/matrix.h"

namespace shoal {

/// Numbers from low to high that hold the true share with the asked confidence.
struct Interval {
  double low = 0, high = 1;
};
/// Wilson's score interval of a share of `hits` among `trials`, confidence 95%. Of no trials: 0 to 1.
Interval wilson_interval(double hits, double trials);

/// How well one label is found.
struct LabelScores {
  Index support = 0, said = 0, found = 0;    ///< rows that have it, rows of which it is said, both
  double precision = 0, recall = 0, f1 = 0;  ///< 0 where there is nothing to divide by
  Interval precision_interval, recall_interval;
  Interval
      f1_interval;  ///< by Wilson's of the share of both among all rows that have it or of which it is said
};

/// How well labels are found, one or several a row.
struct ClassificationScores {
  Index rows = 0;
  double accuracy = 0;  ///< rows whose labels are exactly those said
  Interval accuracy_interval;
  double macro_f1 = 0;  ///< mean over labels that some row has or of which it is said
  double micro_f1 = 0;
  std::vector<LabelScores> labels;
};
/// truth and said: of each row its labels, 0..count-1, each once. Error(argument) if they differ in length.
ClassificationScores classification_scores(const std::vector<std::vector<Label>>& truth,
                                           const std::vector<std::vector<Label>>& said, Index count);

/// Rows of label i of which label j is said, i x j: (count + 1) x (count + 1), the last for kNoise.
std::vector<std::vector<Index>> confusion_matrix(const std::vector<Label>& truth,
                                                 const std::vector<Label>& said, Index count);

/// The share of pairs of one of each in which the first scores more, ties counting a half (Mann-Whitney). 0.5
/// if there is none of a kind. O(n log n).
double area_under_roc(std::span<const double> positives, std::span<const double> negatives);
/// The same of scores in one list, as long as `positive`.
double area_under_roc(std::span<const double> scores, const std::vector<bool>& positive);

}  // namespace shoal
