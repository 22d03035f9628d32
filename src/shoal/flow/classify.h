#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "shoal/core/labels.h"
#include "shoal/core/run.h"
#include "shoal/flow/cluster.h"

namespace shoal {

/// What `predict_clusters` may be told.
struct PredictOptions {
  std::filesystem::path model;  ///< a folder that `cluster` made, with a classifier in it
  std::filesystem::path input;  ///< vectors: a file, a folder of files, or a collection
  std::filesystem::path out;    ///< the folder that is made
  bool overwrite = false;
  PlotLayout layout = PlotLayout::tsne;
  Seed seed{42};
};

struct PredictReport {
  Index rows = 0;
  Index unlike = 0;  ///< rows that are unlike any cluster
  /// Of the clusters of the model that have rows there.
  struct Found {
    Label id = 0;
    std::string name;
    Index size = 0;  ///< rows of the input placed into it
  };
  std::vector<Found> clusters;
  double mean_probability = 0;  ///< of the likeliest cluster
  double mean_distance = 0;     ///< to the nearest centroid
  std::filesystem::path out;
};

/// Places new vectors into the clusters of a model: prepared as its own were, then classified. Makes the
/// folder `out`, whole or not at all, with predictions.csv (row, cluster or -1 where unlike any, likeliest,
/// probability, distance, unlike), predictions.json, and plots: clusters.svg, distances.svg,
/// probabilities.svg, map.svg. Rows are read block by block; the map alone holds all of them. Error(data) if
/// the vectors have another dimension or come from another encoder than the model's.
PredictReport predict_clusters(const PredictOptions& options, const Run& run);

}  // namespace shoal
