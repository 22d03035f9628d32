#include "shoal/explain/means.h"

#include <cmath>

#include "shoal/explain/p_values.h"

namespace shoal {

void Moments::join(const Moments& other) {
  if (other.n == 0) return;
  const double both = n + other.n, apart = other.mean - mean;
  squares += other.squares + apart * apart * (n * other.n / both);
  mean += apart * (other.n / both);
  n = both;
}

MeanDifference compare_means(const Moments& here, const Moments& elsewhere) {
  MeanDifference out;
  if (here.n == 0 || elsewhere.n == 0) return out;
  out.difference = here.mean - elsewhere.mean;
  const double n = here.n + elsewhere.n, within = here.squares + elsewhere.squares;
  const double between = out.difference * out.difference * (here.n * elsewhere.n / n);
  if (between + within > 0) out.r = std::copysign(std::sqrt(between / (between + within)), out.difference);
  if (n > 2 && within > 0) {
    out.cohens_d = out.difference / std::sqrt(within / (n - 2));
    out.hedges_g = out.cohens_d * (1 - 3 / (4 * n - 9));
  }
  if (here.n < 2 || elsewhere.n < 2 || !(within > 0)) return out;
  const double a = here.squares / (here.n - 1) / here.n;
  const double b = elsewhere.squares / (elsewhere.n - 1) / elsewhere.n;
  const double error = std::sqrt(a + b);
  out.t = out.difference / error;
  out.df = (a + b) * (a + b) / (a * a / (here.n - 1) + b * b / (elsewhere.n - 1));
  out.p = t_p(out.t, out.df);
  const double reach = t_quantile(0.975, out.df) * error;
  out.low = out.difference - reach;
  out.high = out.difference + reach;
  return out;
}

Anova one_way_anova(const std::vector<Moments>& groups) {
  Moments all;
  double within = 0, with_numbers = 0;
  for (const Moments& group : groups) {
    all.join(group);
    within += group.squares;
    with_numbers += group.n > 0;
  }
  Anova out;
  if (with_numbers < 2) return out;
  double between = 0;
  for (const Moments& group : groups) between += group.n * (group.mean - all.mean) * (group.mean - all.mean);
  out.df_between = with_numbers - 1;
  out.df_within = all.n - with_numbers;
  if (between + within > 0) out.eta_squared = between / (between + within);
  if (!(within > 0)) return out;
  out.f = (between / out.df_between) / (within / out.df_within);
  out.p = f_p(out.f, out.df_between, out.df_within);
  return out;
}

}  // namespace shoal
