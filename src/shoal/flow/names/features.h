#pragma once

#include <cstdint>

#include "shoal/core/names.h"
#include "shoal/core/run.h"
#include "shoal/flow/tables/export.h"
#include "shoal/store/collection/collection.h"

namespace shoal {

/// What other models can learn from clusters.
enum class FeatureKind : std::uint8_t {
  one_hot,    ///< 1 for the cluster of the row, else 0; all 0 for a row in none
  distances,  ///< to the centroid of each cluster's rows after PCA, by the method's metric (cosine: 0 to 2)
  membership  ///< how probable each cluster is (vmf_mixture), or how firmly the row lies in its own (hdbscan)
};
constexpr auto names_of(FeatureKind) { return std::array{"one-hot", "distances", "membership"}; }

/// Features of a collection's rows: rows x clusters, made as they are read, a block at a time, as `run` says.
/// Error(data) if there are no clusters; Error(argument) for the membership of a method that has none.
/// O(rows clusters components) but for one-hot.
Rows cluster_features(const Collection& collection, FeatureKind kind, const Run& run);

/// The same as CSV: row, cluster_0, cluster_1, ... Step "export", in rows.
void export_features(const Rows& features, const Sink& sink, const Run& run);

}  // namespace shoal
