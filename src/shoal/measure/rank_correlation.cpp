#include "shoal/measure/rank_correlation.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "shoal/core/matrix.h"

namespace shoal {

double spearman(std::span<const double> a, std::span<const double> b) {
  const auto ranks = [](std::span<const double> values) {
    std::vector<Index> order(values.size());
    std::iota(order.begin(), order.end(), Index{0});
    std::ranges::stable_sort(order, {}, [&](Index i) { return values[i]; });
    std::vector<double> out(values.size());
    for (Index first = 0, last; first < order.size(); first = last) {
      for (last = first; last < order.size() && values[order[last]] == values[order[first]];) ++last;
      for (Index i = first; i < last; ++i) out[order[i]] = static_cast<double>(first + last - 1) / 2;
    }
    return out;
  };
  const std::vector<double> x = ranks(a), y = ranks(b);
  const double mean = static_cast<double>(x.size() - 1) / 2;
  double xy = 0, xx = 0, yy = 0;
  for (Index i = 0; i < x.size(); ++i) {
    xy += (x[i] - mean) * (y[i] - mean);
    xx += (x[i] - mean) * (x[i] - mean);
    yy += (y[i] - mean) * (y[i] - mean);
  }
  return xx > 0 && yy > 0 ? xy / std::sqrt(xx * yy) : 0;
}

}  // namespace shoal
