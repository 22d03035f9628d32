#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "shoal/core/fields.h"
#include "shoal/core/labels.h"
#include "shoal/core/run.h"
#include "shoal/flow/folders/cluster_vectors.h"

namespace shoal {

/// What places new rows.
enum class PlacedBy : std::uint8_t {
  classifier,
  method,  ///< its own rule: place_rows
};
constexpr auto names_of(PlacedBy) { return std::array{"classifier", "method"}; }

struct PredictOptions {
  std::filesystem::path model;  ///< a folder that `cluster` made
  std::filesystem::path input;  ///< vectors: a file, a folder of files, or a collection
  std::filesystem::path out;    ///< the folder that is made
  bool overwrite = false;
  std::string vector_column;   ///< which column of a Parquet file holds them; empty: found
  std::optional<PlacedBy> by;  ///< absent: the classifier, if there is one
  PlotMethod layout = PlotMethod::tsne;
  std::string
      group;  ///< of all rows, where the model is neutral to groups; empty: by the collection's column
  Seed seed{42};
};
template <class V>
void fields(PredictOptions& o, V&& visit) {
  visit("vector_column", o.vector_column, kVectorColumnHelp);
  visit("by", o.by,
        "what places the rows. Default: the classifier, if there is one, else the method's own rule");
  visit("layout", o.layout, "the map of the new rows");
  visit("group", o.group,
        "the group of all rows (a language, a source), if the model is neutral to it. Default: by the "
        "collection's column, or its texts' languages");
  visit("seed", o.seed, "start of all randomness");
}

struct PredictReport {
  Index rows = 0;
  bool by_method = false;
  Index unlike = 0;  ///< rows that are unlike any cluster; by the method: that it puts into none
  /// Of the clusters of the model that have rows there.
  struct Found {
    Label id = 0;
    std::string name;
    Index size = 0;  ///< rows of the input placed into it
  };
  std::vector<Found> clusters;
  double mean_probability = 0;      ///< of the likeliest cluster; the classifier's, as the next
  double mean_distance = 0;         ///< to the nearest centroid
  std::optional<double> placement;  ///< placement_of, by the method
  bool assumed_space = false;  ///< model or input does not say which encoder made it: taken to be the same
  std::string converted_from;  ///< what the numbers of the input were before they became float32 (Rows)
  std::filesystem::path out;
  bool done_before = false;  ///< `out` was there, made of the same rows by the same model; the rest is empty
};

/// Places new vectors into the clusters of a model: prepared as its own were, then classified. Makes the
/// folder `out`, whole or not at all, with predictions.csv (row, cluster or -1 where unlike any, likeliest,
/// probability, distance, unlike; by the method's rule only row and cluster), predictions.json, and plots:
/// clusters.svg, map.svg, and of the classifier distances.svg and probabilities.svg. Rows are read block by
/// block; the map alone holds all of them. A folder that was made of the same rows by the same model with the
/// same options stays as it is (receipt.h). Error(data) if the vectors have another dimension or come from
/// another encoder than the model's.
PredictReport predict_clusters(const PredictOptions& options, const Run& run);

}  // namespace shoal
