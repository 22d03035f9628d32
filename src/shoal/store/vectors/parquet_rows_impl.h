#pragma once

#include <filesystem>
#include <string>

#include "shoal/core/rows.h"

namespace shoal {

/// Whether a file begins as a Parquet file does; false if it is none, or cannot be read.
bool is_parquet(const std::filesystem::path& path);

/// The vectors of a Parquet file: its column of lists of float16, float32 or float64, all of one length: the
/// one called `column`; if that is empty the only one, or the one called vectors, vector, embeddings or
/// embedding if there are several. They are unpacked into a file of no name, which is mapped: in the folder
/// for temporary files, or beside `path` where that has no room. Memory: one batch. float64 is converted
/// (Rows::converted_from). Error(format): damaged, no such column, or, with the row, a null, a vector of
/// another length, a float64 beyond the range of float32. Error(file): no room to unpack them.
Rows open_parquet(const std::filesystem::path& path, const std::string& column = {});

}  // namespace shoal
