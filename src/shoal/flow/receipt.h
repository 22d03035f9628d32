#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shoal/core/fields.h"
#include "shoal/core/run.h"

namespace shoal {

// A receipt tells what a result was made of: by it the same command knows its finished work. It has the
// result's key and the SHA-256 of its files, so that a result that was changed by hand is not taken for what
// was made. A folder has its receipt in the report that the command leaves in it, a single file NAME beside
// it, in .NAME.shoal.

/// Names all that a result depends on: the command, its options, the version of shoal, and the content of its
/// inputs, wherever they lie. inputs: files; folders of vectors; collections, of which vectors and texts
/// count. Reads all of them. Step "check", in inputs.
std::string result_key(std::string_view command, const std::vector<Field>& options,
                       const std::vector<std::filesystem::path>& inputs, const Run& run);

/// Puts the receipt into `mark`, the JSON report in `folder`, whose other files are finished.
void add_receipt(const std::filesystem::path& folder, std::string_view mark, const std::string& key);
/// Whether `folder` was made under this key, and all its files are as they were made.
bool has_receipt(const std::filesystem::path& folder, std::string_view mark, const std::string& key);

/// What a receipt tells of a single file besides: how many rows it has, for example.
using Facts = std::map<std::string, Index>;
/// Writes the receipt of `file`, which has its content already but not yet its name: killed between the two,
/// the command has not finished. `part`: where the content is.
void write_receipt(const std::filesystem::path& file, const std::filesystem::path& part,
                   const std::string& key, const Facts& facts);
/// The key under which `file` was made; empty: there is no receipt.
std::string receipt_key(const std::filesystem::path& file);
/// The facts, if `file` was made under this key and is as it was made.
std::optional<Facts> read_receipt(const std::filesystem::path& file, const std::string& key);

}  // namespace shoal
