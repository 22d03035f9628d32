#include "shoal/flow/tables/percentile_bins.h"

#include <algorithm>

namespace shoal {
namespace {

constexpr float kFrom[] = {0.5F, 0.9F, 0.95F, 0.99F};  // of the second range and those after it

}  // namespace

const std::vector<std::string>& percentile_ranges() {
  static const std::vector<std::string> names = {"0 to 50%", "50 to 90%", "90 to 95%", "95 to 99%",
                                                 "99 to 100%"};
  return names;
}

Texts percentile_bins(const Matrix& percentiles, Index first, Index count) {
  Texts out;
  for (Index i = first; i < first + count; ++i)
    out.add(percentile_ranges()[static_cast<Index>(std::ranges::upper_bound(kFrom, percentiles[i][0]) -
                                                   std::begin(kFrom))]);
  return out;
}

}  // namespace shoal
