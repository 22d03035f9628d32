#include "shoal/cluster/nearest_center_impl.h"

#include <algorithm>

namespace shoal {

Nearest nearest(std::span<const float> cosines) {
  constexpr Index kLanes = 16;
  const Index n = cosines.size();
  const float* v = cosines.data();
  float best = v[0];
  if (n >= kLanes) {
    float lane[kLanes];
    std::copy_n(v, kLanes, lane);
    Index i = kLanes;
    for (; i + kLanes <= n; i += kLanes)
      for (Index l = 0; l < kLanes; ++l) lane[l] = lane[l] < v[i + l] ? v[i + l] : lane[l];
    for (; i < n; ++i) lane[0] = lane[0] < v[i] ? v[i] : lane[0];
    best = *std::max_element(lane, lane + kLanes);
  } else {
    best = *std::max_element(v, v + n);
  }
  return {static_cast<Label>(std::find(v, v + n, best) - v), best};
}

}  // namespace shoal
