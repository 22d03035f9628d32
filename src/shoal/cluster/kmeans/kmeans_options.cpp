#include "shoal/cluster/kmeans/kmeans_options.h"

namespace shoal {

const char* name_of(KMeansInit init) {
  return init == KMeansInit::kmeans_parallel ? "kmeans_parallel" : "kmeans_plus_plus";
}

std::optional<KMeansInit> kmeans_init_named(std::string_view name) {
  for (const KMeansInit init : {KMeansInit::kmeans_plus_plus, KMeansInit::kmeans_parallel})
    if (name == name_of(init)) return init;
  return std::nullopt;
}

}  // namespace shoal
