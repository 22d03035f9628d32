#pragma once

#include <string>
#include <vector>

#include "shoal/core/run.h"
#include "shoal/store/collection/collection.h"

namespace shoal {

/// What `check` found.
struct CheckReport {
  std::vector<std::string> whole;       ///< files as they were written
  std::vector<std::string> unfinished;  ///< files of steps that are not finished: nothing is known of them
  bool settled = false;  ///< rows.sqlite is, byte for byte; if not, its structure, texts and columns are
};

/// Reads all files of a collection and compares them with what they were when `map` finished them: the
/// SHA-256 of the database, vectors, stages and page. Of a database that has none, because it was changed
/// since `map` last came to its end, the structure is checked, by SQLite's own check, and the texts and
/// columns. Error(format) names the first that is damaged or lost. Progress as step "check".
CheckReport check_collection(const Collection& collection, const Run& run);

}  // namespace shoal
