#pragma once

namespace shoal {

/// Parameters of the low-dimensional similarity 1 / (1 + a d^(2b)).
struct Curve {
  double a = 1, b = 1;
};

/// The a and b for which the curve comes closest, in least squares over 300 distances up to 3 * spread, to
/// what is asked for: 1 up to min_dist, then falling as exp(-(d - min_dist) / spread).
/// spread: 0.01..100; far outside, no step would improve the first guess. min_dist 0.1 and spread 1 give a
/// = 1.577, b = 0.895.
Curve fit_curve(float min_dist, float spread);

}  // namespace shoal
