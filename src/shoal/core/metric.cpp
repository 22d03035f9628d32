#include "shoal/core/metric.h"

namespace shoal {

const char* name_of(Metric m) { return m == Metric::cosine ? "cosine" : "euclidean"; }

std::optional<Metric> metric_named(std::string_view name) {
  for (const Metric m : {Metric::cosine, Metric::euclidean})
    if (name == name_of(m)) return m;
  return std::nullopt;
}

}  // namespace shoal
