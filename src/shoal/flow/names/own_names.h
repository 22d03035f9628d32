#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "shoal/core/labels.h"
#include "shoal/core/run.h"
#include "shoal/store/collection/collection.h"

namespace shoal {

/// The labels under which a collection keeps the rows of clusters that the user has named, and their names.
inline constexpr const char* kOwnNames = "own_names";

/// A name that the user gives a cluster.
struct OwnName {
  Label cluster = 0;
  std::string name;  ///< as it is to be shown; empty: the one from its words again
};

/// What the user has named: rows, and a name for each label that they have.
struct NamedRows {
  Labels rows;
  std::vector<ClusterRecord> names;  ///< words: the name that the cluster had before
};

/// What has become of the user's names after the clusters were found anew.
struct KeptNames {
  std::vector<OwnName> kept;
  std::vector<std::string>
      lost;  ///< no cluster holds mostly the rows that were named so; kept for another time
  std::vector<std::string> gone;  ///< of a collection that was replaced by one of other rows
};

/// Names clusters of a finished collection in the table of clusters, and keeps the names with their rows, for
/// apply_own_names. Nothing is changed on an error: Error(argument) naming a cluster that is not there, that
/// is named twice, or a name that is longer than 200 bytes or holds a line break; Error(data) if there are no
/// clusters.
void name_own_clusters(Collection& collection, const std::vector<OwnName>& names);

/// Error(argument) for names that cannot be given, as name_own_clusters; clusters: how many there are, if
/// that is known.
void check_own_names(const std::vector<OwnName>& names, std::optional<Index> clusters);

/// All that the user has named in this collection, and the same given to one of equal rows.
NamedRows named_rows(const Collection& collection);
void keep_named_rows(Collection& collection, const NamedRows& named);

/// The clusters that bear a name of the user's, ascending.
std::vector<Label> clusters_with_own_names(const Collection& collection);

/// After the clusters were found and named anew: gives the user's names to those that hold the same rows, by
/// the best matching of both (measure/assignment.h) on the Jaccard index of their rows, which must be 0.3 or
/// more. The names stay bound to the rows that the user gave them to.
KeptNames apply_own_names(Collection& collection);

/// Names from a file with the columns cluster and name (CSV, TSV, JSONL). Error(data) naming the file for
/// other columns or a cluster that is no number.
std::vector<OwnName> read_own_names(const std::filesystem::path& path, const Run& run);

}  // namespace shoal
