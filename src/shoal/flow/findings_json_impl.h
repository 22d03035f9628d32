#pragma once

#include <nlohmann/json.hpp>

#include "shoal/flow/find_clusters.h"

namespace shoal {

/// `format` of the JSON that tells of clusters: shoal.json of `cluster` and report.json of `map`.
inline constexpr const char* kClustersFormat = "shoal clusters";
inline constexpr int kClustersVersion = 1;

/// null where it is not finite, which JSON cannot say.
nlohmann::ordered_json number_json(const std::optional<double>& v);

/// Options by their names; null for one that is absent.
nlohmann::ordered_json to_json(const std::vector<Field>& fields);

/// method, its title, options, n_clusters, noise, measures, against, chosen and tried if a number was chosen,
/// stability if it was measured, placement_agreement.
nlohmann::ordered_json to_json(const ClusterFindings& found);

}  // namespace shoal
