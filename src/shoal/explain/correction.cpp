#include "shoal/explain/correction.h"

#include <algorithm>
#include <cmath>

#include "shoal/core/matrix.h"

namespace shoal {

std::vector<double> corrected_p_values(const std::vector<double>& p, Correction correction) {
  std::vector<Index> order;  // by p, smallest first
  for (Index i = 0; i < p.size(); ++i)
    if (!std::isnan(p[i])) order.push_back(i);
  std::stable_sort(order.begin(), order.end(), [&](Index a, Index b) { return p[a] < p[b]; });
  std::vector<double> out = p;
  const Index n = order.size();
  switch (correction) {
    case Correction::none:
      break;
    case Correction::bonferroni:
      for (Index i : order) out[i] = std::min(1.0, p[i] * static_cast<double>(n));
      break;
    case Correction::holm: {
      double largest = 0;
      for (Index rank = 0; rank < n; ++rank) {
        largest = std::max(largest, p[order[rank]] * static_cast<double>(n - rank));
        out[order[rank]] = std::min(1.0, largest);
      }
      break;
    }
    case Correction::benjamini_hochberg: {
      double smallest = 1;
      for (Index rank = n; rank-- > 0;) {
        smallest =
            std::min(smallest, p[order[rank]] * static_cast<double>(n) / static_cast<double>(rank + 1));
        out[order[rank]] = smallest;
      }
      break;
    }
  }
  return out;
}

}  // namespace shoal
