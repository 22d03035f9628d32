#include <limits>

#include "shoal/cluster/density/pair_filter_impl.h"

namespace shoal {
namespace {

// A chain of d fused multiply-adds errs by at most d 2^-24 |a| |b|, which is at most that share of
// |a|^2 / 2 + |b|^2 / 2; lengths and the sums of the filter err by no more. Twice their sum is on the safe
// side.
double rounding(Index d) { return 4 * static_cast<double>(d + 8) / (1 << 24); }

// `distance` rounds a few times, and rows that pass as unit may be off by 2e-6 (metric_rows.cpp).
constexpr double kShare = 3e-5;
// Below this float32 products lose digits altogether.
constexpr float kTiny = 1e-36f;

}  // namespace

PairFilter::PairFilter(const Prepared& x) : metric_(x.source.metric()), unit_(x.unit) {
  const double share = rounding(x.rows.cols);
  least_.reserve(x.rows.rows);
  sure_.reserve(x.rows.rows);
  for (const float half_square : x.half_square) {
    // A row of zeros is at distance 1 from all under cosine: as if its product with a unit row were 0.
    const double h = metric_ == Metric::cosine && half_square == 0 ? 0.5 : half_square;
    least_.push_back(static_cast<float>(h * (1 - share)) - kTiny);
    sure_.push_back(static_cast<float>(h * (1 + share)) + kTiny);
  }
}

// |a - b|^2 / 2 of prepared rows at distance w.
double PairFilter::half_square(float w) const {
  return metric_ == Metric::cosine ? w : (w / unit_) * (w / unit_) / 2;
}

float PairFilter::most_half_square(float w) const {
  const double most = half_square(w) * (1 + kShare);
  return most < std::numeric_limits<float>::max() ? static_cast<float>(most)
                                                  : std::numeric_limits<float>::infinity();
}

float PairFilter::sure_half_square(float w) const {
  const double sure = half_square(w) * (1 - kShare);
  return sure < std::numeric_limits<float>::max() ? static_cast<float>(sure)
                                                  : std::numeric_limits<float>::max();
}

}  // namespace shoal
