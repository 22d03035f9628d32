#pragma once

#include <limits>
#include <vector>

#include "shoal/core/matrix.h"

namespace shoal {

/// Numbers summed up: how many, their mean, and the sum of squared differences from it.
struct Moments {
  double n = 0, mean = 0, squares = 0;

  /// Of these and the others together (Chan, Golub, LeVeque 1979).
  void join(const Moments& other);
};

/// One group of numbers against another. What cannot be said is NaN: t, df, p and the interval if a group has
/// fewer than two numbers or no spread is in either.
struct MeanDifference {
  double difference = std::numeric_limits<double>::quiet_NaN();
  double low = std::numeric_limits<double>::quiet_NaN();  ///< 95% interval of the difference, after Welch
  double high = std::numeric_limits<double>::quiet_NaN();
  double t = std::numeric_limits<double>::quiet_NaN();  ///< Welch's
  double df = std::numeric_limits<double>::quiet_NaN();
  double p = std::numeric_limits<double>::quiet_NaN();         ///< two-sided
  double cohens_d = std::numeric_limits<double>::quiet_NaN();  ///< difference over the pooled deviation
  double hedges_g = std::numeric_limits<double>::quiet_NaN();  ///< d times 1 - 3 / (4 n - 9)
  double r =
      std::numeric_limits<double>::quiet_NaN();  ///< Pearson's, of the number and being in the first group
};
MeanDifference compare_means(const Moments& here, const Moments& elsewhere);

struct Anova {
  double f = std::numeric_limits<double>::quiet_NaN();
  double df_between = 0, df_within = 0;
  double p = std::numeric_limits<double>::quiet_NaN();
  double eta_squared = std::numeric_limits<double>::quiet_NaN();  ///< share of the variance, 0 to 1
};

/// One-way analysis of variance over the groups that have numbers. NaN if fewer than two have, or if no
/// number differs from its group's mean.
Anova one_way_anova(const std::vector<Moments>& groups);

}  // namespace shoal
