#include "shoal/explain/p_values.h"

#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/fisher_f.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <limits>

namespace shoal {
namespace {

namespace bm = boost::math;

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

/// Results that no double can hold are the nearest that can; nothing throws.
using Policy = bm::policies::policy<bm::policies::domain_error<bm::policies::ignore_error>,
                                    bm::policies::overflow_error<bm::policies::ignore_error>,
                                    bm::policies::underflow_error<bm::policies::ignore_error>,
                                    bm::policies::evaluation_error<bm::policies::ignore_error>>;

template <class Distribution>
double above(const Distribution& distribution, double x) {
  if (std::isinf(x)) return 0;
  return bm::cdf(bm::complement(distribution, x));
}

bool usable(double df) { return df > 0 && std::isfinite(df); }

}  // namespace

double chi_square_p(double chi_square, double df) {
  if (!(chi_square >= 0) || !usable(df)) return kNone;
  return above(bm::chi_squared_distribution<double, Policy>(df), chi_square);
}

double f_p(double f, double df_between, double df_within) {
  if (!(f >= 0) || !usable(df_between) || !usable(df_within)) return kNone;
  return above(bm::fisher_f_distribution<double, Policy>(df_between, df_within), f);
}

double t_p(double t, double df) {
  if (std::isnan(t) || !usable(df)) return kNone;
  return 2 * above(bm::students_t_distribution<double, Policy>(df), std::fabs(t));
}

double t_quantile(double probability, double df) {
  if (!(probability > 0 && probability < 1) || !usable(df)) return kNone;
  return bm::quantile(bm::students_t_distribution<double, Policy>(df), probability);
}

}  // namespace shoal
