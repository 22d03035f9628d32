#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "shoal/core/matrix.h"
#include "shoal/flow/folders/cluster_vectors.h"
#include "shoal/store/files/new_folder.h"

namespace shoal {

/// The file by which a folder that `cluster` has made is known; it is also the report that programs read.
inline constexpr const char* kClusterMark = "report.json";
/// What it was called in folders made before version 2 of it.
inline constexpr const char* kOldClusterMark = "shoal.json";
/// Programs of others write report.json too.
inline constexpr FolderMark kClusterFolder{kClusterMark, "\"format\": \"shoal clusters\"", kOldClusterMark};
/// The one of the two that stands in `folder`; kClusterMark where there is neither.
const char* cluster_mark(const std::filesystem::path& folder);

/// What the plots show.
struct ClusterPlots {
  std::vector<double> distances;  ///< of each row to the nearest centroid
  Matrix points;                  ///< rows x 2; empty: no map
  Labels labels;                  ///< numbered without gaps, as report.clusters
};

/// Writes report.json, report.html and the plots as .svg into `folder`. Equal input gives equal bytes.
void write_report(const ClusterReport& report, const ClusterOptions& options, const ClusterPlots& plots,
                  const std::filesystem::path& folder);

/// What a later command needs to know of a folder that `cluster` has made.
struct ClusterFacts {
  bool pca = false, standardise = false, classifier = false;
  Index dims = 0;
  std::vector<Label> ids;          ///< of the clusters that have rows
  std::vector<std::string> names;  ///< of the same; empty strings where there are none
};
/// Error(format) if `cluster` did not make the folder, or its report is damaged.
ClusterFacts read_facts(const std::filesystem::path& folder);

/// A number in at most so many digits, the same everywhere.
std::string short_number(double value, int digits = 6);

}  // namespace shoal
