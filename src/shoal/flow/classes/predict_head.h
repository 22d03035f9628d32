#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "shoal/core/run.h"
#include "shoal/flow/texts/texts_and_vectors.h"

namespace shoal {

/// What `classify predict` may be told of a head.
struct PredictHeadOptions {
  std::filesystem::path head;   ///< a folder that `classify fit` made
  std::filesystem::path input;  ///< as read_texts_and_vectors
  std::filesystem::path out;    ///< the folder that is made
  bool overwrite = false;
  TextsAndVectorsOptions read;  ///< model empty: the one that the head was fitted with
};

struct PredictHeadReport {
  Index rows = 0;
  Index unknown = 0;               ///< rows that are taken for none of the known labels
  std::optional<double> coverage;  ///< that was asked for; absent: the head cannot say
  struct Found {
    std::string name;
    Index size = 0;
  };
  std::vector<Found> labels;    ///< all of the head's; size: rows that got it
  std::vector<Found> proposed;  ///< new clusters among the unknown rows; name: the most typical text
  double mean_probability = 0;  ///< of the likeliest label
  bool assumed_space = false;
  Index cut = 0;
  std::filesystem::path out;
  bool done_before = false;  ///< the rest is empty
};

/// Labels new rows and makes the folder `out`, whole or not at all, with predictions.csv (row, label,
/// likeliest, probability, p_value, unknown, nearest: the nearest training row; and text), predictions.json,
/// labels.svg, probabilities.svg, and proposed.csv (row, cluster, text) if at least 20 rows are unknown:
/// HDBSCAN's clusters of them, as labels that may be missing. Error(data) if the vectors have another
/// dimension or come from another encoder.
PredictHeadReport predict_head(const PredictHeadOptions& options, const Run& run, const Notice& notice = {});

}  // namespace shoal
