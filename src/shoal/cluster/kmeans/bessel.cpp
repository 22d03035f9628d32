#include <cmath>
#include <numbers>

#include "shoal/cluster/kmeans/bessel_impl.h"

namespace shoal {
namespace {

double log_uniform(double order, double x) {
  const double z = x / order, root = std::sqrt(1 + z * z), p = 1 / root, q = p * p;
  const double exponent = root + std::log(z / (1 + root));
  const double u1 = p * (3 - 5 * q) / 24;
  const double u2 = q * (81 + q * (-462 + q * 385)) / 1152;
  const double u3 = p * q * (30375 + q * (-369603 + q * (765765 - q * 425425))) / 414720;
  const double u4 =
      q * q * (4465125 + q * (-94121676 + q * (349922430 + q * (-446185740 + q * 185910725)))) / 39813120;
  const double w = 1 / order, series = w * (u1 + w * (u2 + w * (u3 + w * u4)));
  return order * exponent - 0.5 * std::log(2 * std::numbers::pi * order * root) + std::log1p(series);
}

}  // namespace

BesselI bessel_i(double order, double x) {
  constexpr double kLarge = 64;
  const int steps = order < kLarge ? static_cast<int>(std::ceil(kLarge - order)) : 0;
  double at = order + steps;
  BesselI b{log_uniform(at, x), 0};
  b.ratio = std::exp(log_uniform(at + 1, x) - b.log);
  for (int i = 0; i < steps; ++i, --at) {
    b.ratio = 1 / (2 * at / x + b.ratio);
    b.log -= std::log(b.ratio);
  }
  return b;
}

}  // namespace shoal
