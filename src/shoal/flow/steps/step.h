#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "shoal/core/fields.h"
#include "shoal/core/run.h"
#include "shoal/flow/fingerprint.h"
#include "shoal/store/collection/collection.h"

namespace shoal {

/// What every chain of steps begins with: the rows that were read.
inline constexpr std::string_view kRows = "rows";

/// A piece of work on a collection. What it reads and what it leaves has names: those with an ending are
/// files of the collection, the others are results in its database. Steps are told apart by these alone: a
/// new step is one more value in a list, after those that make what it needs.
struct Step {
  std::string_view name;
  std::vector<std::string_view> needs;  ///< kRows, or what steps before it make: all that `run` reads
  std::vector<std::string_view> makes;
  std::function<std::vector<Field>()> options;  ///< that the result depends on; empty: none
  /// Does the work. `key`: the step's; what was begun under the same key may be gone on with.
  std::function<void(const std::string& key)> run;
  /// The version of shoal whose results these are. A step that costs hours names the oldest that gave the
  /// same.
  std::string_view version = shoal_version();
};

/// True for what is a file of the collection.
inline bool is_file(std::string_view made) { return made.find('.') != made.npos; }

/// Under what the manifest has the SHA-256 of a file of a finished step; empty or absent: it is not finished.
inline std::string checksum_key(std::string_view file) { return "sha256 " + std::string(file); }

/// Runs the steps that are due, in order, and returns the names of those that an earlier run had finished. A
/// step is due if it was not finished under its key (its name, its options and version, and the keys of the
/// steps that make what it needs; `rows_key` for the rows), if a file that it made is not there or not whole,
/// or if it needs something that is made anew. What a due step reads must have the checksum that was kept
/// when it was made; a file that has another is removed and made again. The keys and checksums of all that is
/// due are forgotten before the first step begins, so that a run killed at any moment is gone on with. Step
/// "check", in files, where checksums are compared.
std::vector<std::string> run_steps(Collection& collection, std::string_view rows_key,
                                   const std::vector<Step>& steps, const Run& run);

}  // namespace shoal
