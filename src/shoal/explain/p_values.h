#pragma once

namespace shoal {

// Probabilities under no effect of a statistic at least as far out, and what intervals need. NaN if the
// statistic is NaN or the degrees of freedom are not above 0. Relative error about 1e-13 down to the smallest
// doubles; what is smaller is 0.

double chi_square_p(double chi_square, double df);
double f_p(double f, double df_between, double df_within);
double t_p(double t, double df);                   ///< two-sided
double t_quantile(double probability, double df);  ///< probability inside (0, 1)

}  // namespace shoal
