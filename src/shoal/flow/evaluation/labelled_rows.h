#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shoal/core/labels.h"
#include "shoal/core/random.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"
#include "shoal/measure/bootstrap.h"

namespace shoal {

/// Rows of a table that have a label, and which of them belong together.
struct LabelledRows {
  std::vector<Index> rows;         ///< of the table
  Labels labels;                   ///< of each of them, numbered in the order of `names`
  std::vector<std::string> names;  ///< in the order of bytes
  std::vector<Index> group;        ///< of each: 0..n_groups - 1; rows of a group are never on both sides
  Index n_groups = 0;
  std::vector<std::uint8_t> learn;  ///< 1: only learnt from, 0: only judged; empty: every row may be either
};

/// The rows with a label that at least `least` rows have. Rows of equal texts are one group, and so are those
/// of one name in `groups` (empty: there are none; an empty name is none). texts, cells, groups: of each row.
LabelledRows gather_labelled(const std::vector<std::string_view>& texts,
                             const std::vector<std::string_view>& cells,
                             const std::vector<std::string_view>& groups, Index least);

struct FewShotOptions {
  Index shots = 10, draws = 10;  ///< rows a label to learn from, and how often they are drawn
  double c = 10;                 ///< LogisticOptions::c
  Seed seed{42};
};

/// What a logistic regression on few examples says of rows that it has not seen.
struct FewShot {
  Measurable accuracy;       ///< things: groups, draws
  double f1 = 0;             ///< macro F1, the mean of the draws
  std::optional<double> ap;  ///< of two labels: average precision of the second, the mean of the draws
  Index judged = 0;          ///< rows, over all draws
};
/// x: a vector of each of data.rows. Learns from at most `shots` rows a label and half of them (all of them
/// where data.learn says which). Error(data) if no row is left to judge. Step "measure", in draws.
FewShot few_shot(const Rows& x, const LabelledRows& data, const FewShotOptions& options, const Run& run);

/// How well clusters follow the labels: of spherical k-means with as many clusters as labels.
struct LabelClusters {
  Measurable v_measure;                                         ///< things: groups, starts
  double deviation = 0;                                         ///< of the starts' V-measures
  double homogeneity = 0, completeness = 0, adjusted_rand = 0;  ///< means of the starts
};
/// x as in few_shot. Step "measure", in starts.
LabelClusters cluster_labelled(const Rows& x, const LabelledRows& data, Index starts, Seed seed,
                               const Run& run);

}  // namespace shoal
