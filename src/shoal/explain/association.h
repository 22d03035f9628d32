#pragma once

#include <limits>
#include <string>
#include <vector>

#include "shoal/core/labels.h"
#include "shoal/explain/correction.h"
#include "shoal/explain/outcome.h"

namespace shoal {

/// Whether clusters and outcome have to do with each other at all.
struct OverallTest {
  const char* name = "";                                        ///< "chi-square" or "ANOVA"
  const char* effect_name = "";                                 ///< "Cramer's V" or "eta squared"
  double statistic = std::numeric_limits<double>::quiet_NaN();  ///< chi-square, or F
  double df = 0, df_within = 0;                                 ///< df_within: of ANOVA
  double p = std::numeric_limits<double>::quiet_NaN();
  double effect = std::numeric_limits<double>::quiet_NaN();
  std::string remark;  ///< why not to trust p, or empty
};

/// One cluster against all other clustered rows. NaN where something cannot be said.
struct ClusterTest {
  Label cluster = 0;
  Label category = kNoise;         ///< which of the outcome's; kNoise for numbers
  Index rows = 0;                  ///< of the cluster, with an outcome
  double here = 0, elsewhere = 0;  ///< share of rows with the category, or mean of the numbers
  double effect = 0;               ///< odds ratio, or difference of the means
  double low = 0, high = 0;        ///< 95% interval of `effect`
  double t = std::numeric_limits<double>::quiet_NaN();  ///< Welch's, for numbers
  double df = std::numeric_limits<double>::quiet_NaN();
  double cohens_d = std::numeric_limits<double>::quiet_NaN();
  double hedges_g = std::numeric_limits<double>::quiet_NaN();
  double r = 0;  ///< Pearson's correlation of being in the cluster and the outcome (phi for a category)
  double p = 0;  ///< Fisher's exact test, or Welch's t-test; two-sided
  double corrected_p = 0;  ///< for all tests of the list together
};

struct Association {
  OutcomeKind kind = OutcomeKind::two_values;
  std::vector<std::string> categories;
  Index rows = 0;         ///< that were compared
  Index missing = 0;      ///< left out: no outcome
  Index unclustered = 0;  ///< left out: an outcome, but in no cluster
  OverallTest overall;
  /// Strongest |r| first, ties by cluster, then category. One a cluster that has rows with an outcome; with
  /// more than two categories one a cluster and category.
  std::vector<ClusterTest> tests;
};

/// What clusters have to do with an outcome column. Two values and categories: chi-square test and Cramer's V
/// overall, Fisher's exact test and the odds ratio for each cluster (and category). Numbers: one-way analysis
/// of variance and eta squared overall, Welch's t-test, the difference of the means, Cohen's d and Hedges' g
/// for each cluster. If the clusters were found with the outcome in view, or chosen for it, p-values are too
/// small. Error(data) unless labels and outcome have as many rows. O(rows + clusters^2).
Association associate(const Labels& labels, const Outcome& outcome, Correction correction = Correction::holm);

}  // namespace shoal
