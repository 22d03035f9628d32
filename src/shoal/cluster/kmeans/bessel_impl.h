#pragma once

namespace shoal {

/// The modified Bessel function of the first kind at x > 0, order >= -1/2: also where I itself leaves the
/// range of double, above at x = 713, below at small x and large orders. Both occur here, and Boost.Math has
/// neither the logarithm nor a scaled I.
struct BesselI {
  double log = 0;    ///< log I_order(x), within 1e-10 of its own size or absolutely
  double ratio = 0;  ///< I_{order + 1}(x) / I_order(x), relative error about 1e-10
};

/// The uniform expansion for large orders (DLMF 10.41.3, four terms) at an order of 64 or more, then down to
/// `order` by the recurrence I_{v-1} = 2 v / x I_v + I_{v+1}, which is stable downwards.
BesselI bessel_i(double order, double x);

}  // namespace shoal
