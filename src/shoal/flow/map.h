#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "shoal/cluster/spherical_kmeans.h"
#include "shoal/core/run.h"
#include "shoal/encode/encoder.h"
#include "shoal/read/source.h"
#include "shoal/reduce/pca.h"
#include "shoal/reduce/umap.h"
#include "shoal/store/collection.h"

namespace shoal {

/// What `map` may be told. All but the paths change the result.
struct MapOptions {
  std::vector<std::filesystem::path> inputs;  ///< files of texts; empty: go on with the collection `out`
  std::filesystem::path out;                  ///< the collection
  std::filesystem::path model;                ///< a sentence-transformers folder
  bool overwrite = false;                     ///< replace a collection that stands at `out`
  std::string title;                          ///< of the page; empty: the collection's name
  std::string color;                          ///< a user column that the page can colour by; empty: found
  ReadOptions read;
  EncodeOptions encode;
  PcaOptions pca;
  std::optional<Index> n_clusters;  ///< absent: default_clusters(rows)
  UmapOptions umap;
  Seed seed{42};
};

/// What `map` did.
struct MapReport {
  Index rows = 0;
  ReadReport read;
  std::string text_columns;
  Index dims = 0;        ///< of the vectors
  Index components = 0;  ///< kept by PCA
  double variance = 0;   ///< share that they explain
  double objective = 0;  ///< mean cosine of a row to its centroid
  Index n_iter = 0;
  std::vector<ClusterRow> clusters;
  std::vector<GroupRow> groups;
  std::vector<std::string> done_before;  ///< steps that an earlier run had finished
  std::filesystem::path page;
};

/// The main job: read, embed, reduce, cluster, explain, lay out, and write the collection with map.html in
/// it. A step that was finished before under the same input and options is not done again; an interrupted run
/// goes on where it stopped and ends with the same bytes as an unbroken one. Steps (for Run::progress): read,
/// embed, PCA, neighbours, layout, k-means, explain, page. Error(argument) if `out` was made from another
/// input or by another model, unless `overwrite`.
MapReport map(const MapOptions& options, const Run& run);

}  // namespace shoal
