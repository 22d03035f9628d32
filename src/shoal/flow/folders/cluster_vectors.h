#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "shoal/classify/cluster_classifier.h"
#include "shoal/core/fields.h"
#include "shoal/core/run.h"
#include "shoal/flow/find_clusters.h"
#include "shoal/flow/identities.h"
#include "shoal/flow/preparation.h"
#include "shoal/flow/through_profile.h"
#include "shoal/store/collection/collection.h"

namespace shoal {

/// The picture of the rows in two dimensions.
enum class PlotMethod : std::uint8_t { tsne, umap, none };
constexpr auto names_of(PlotMethod) { return std::array{"tsne", "umap", "none"}; }

/// What `cluster` may be told. All but the paths change the result.
struct ClusterOptions {
  std::filesystem::path input;    ///< a file of vectors, a folder of such files, or a collection
  std::filesystem::path out;      ///< the folder that is made
  std::filesystem::path profile;  ///< the rows are seen through it (adapt/profile.h); empty: as they are
  bool overwrite = false;         ///< replace a folder that this command has made
  std::optional<PcaOptions> pca;
  bool standardise = false;
  std::string vector_column;  ///< which column of a Parquet file holds them; empty: found
  ClusteringOptions clusters;
  std::optional<ClassifierRule> classifier = ClassifierRule::logistic;
  double unlike_quantile = 0.995;
  PlotMethod layout = PlotMethod::tsne;
  Seed seed{42};
};
/// What the option says where vectors are read.
inline constexpr const char* kVectorColumnHelp =
    "which column of a Parquet file holds the vectors. Default: the only one of lists of floats, or the one "
    "called vectors, vector, embeddings or embedding";
/// Its own ones; those of PCA and of the method have their `fields`.
template <class V>
void fields(ClusterOptions& o, V&& visit) {
  visit("vector_column", o.vector_column, kVectorColumnHelp);
  visit("standardise", o.standardise, "give each column mean 0 and deviation 1, after PCA");
  visit("classifier", o.classifier,
        "how new rows are placed: by regression on the distances to all centroids, or to the nearest one");
  visit("unlike_quantile", o.unlike_quantile,
        "a row further from its nearest centroid than this share of the rows there is unlike any cluster; 0: "
        "none is",
        between(0, 1));
  visit("layout", o.layout, "the map in the report");
  visit("seed", o.seed, "start of all randomness");
}

/// What `cluster` found. `labels.csv` and the report in the folder say the same, row by row.
struct ClusterReport {
  Index rows = 0, dims = 0;
  Index components = 0;  ///< of the rows that the method saw
  double variance = 1;   ///< share of it that PCA kept
  ClusterFindings found;
  std::optional<Identities> identities;  ///< where the numbers of an older map were kept
  std::vector<std::string> examples;     ///< of each cluster, the beginning of its most typical text
  std::vector<ClusterRecord> clusters;   ///< names and words only where the input is a collection
  std::optional<CrossValidation> held_out;
  double training_agreement = 0;   ///< of the classifier
  std::string without_classifier;  ///< why there is none; empty: there is one, or none was asked for
  std::string converted_from;      ///< what the numbers of the input were before they became float32 (Rows)
  std::filesystem::path out;
  bool done_before =
      false;  ///< `out` was there, made of the same rows with the same options; the rest is empty
};

/// Vectors, reduced and standardised if asked, into clusters: with how many and why, how good they are by
/// measures without truth, how stable, and a classifier that places new rows. Makes the folder `out` with
///   report.json           what was asked and what was found
///   labels.csv            row, cluster, and of the classifier: probability, distance, unlike
///   clusters.safetensors, classifier.safetensors, pca.safetensors, standardise.safetensors: the stages
///   report.html           all of it to look at; and its plots: sizes.svg, distances.svg, criterion.svg,
///                         map.svg
/// whole or not at all. Memory: that of the method, and the prepared rows are kept in a file meanwhile.
/// A folder that was made of the same rows with the same options stays as it is (receipt.h). Error(argument)
/// if `out` exists else (see NewFolder) or an option does not fit; Error(data) for rows that cannot be used,
/// naming the file and the row.
ClusterReport cluster_vectors(const ClusterOptions& options, const Run& run);

/// Error(data) naming the file of `input` and its row that holds a NaN or an infinity. x:
/// open_vectors(input, column).
void check_rows(const Rows& x, const std::filesystem::path& input, const std::string& column, const Run& run);

/// Vectors of a collection, of a file, or of a folder of files, mapped. `column`: of a Parquet file.
Rows open_vectors(const std::filesystem::path& input, const std::string& column);

}  // namespace shoal
