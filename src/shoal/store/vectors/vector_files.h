#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "shoal/core/rows.h"

namespace shoal {

/// One file of a folder of vectors.
struct VectorFile {
  std::filesystem::path path;
  Rows rows;  ///< mapped: nothing is read before it is used
};

/// The files that open_vector_files opens, in its order.
std::vector<std::filesystem::path> list_vector_files(const std::filesystem::path& folder);

/// The .npy, .npz, .safetensors and .parquet files right inside `folder`, numbers in names sorted as numbers
/// (part2 before part10); other files, hidden files and folders are passed over. Each is checked to be whole.
/// Error(file) if the folder cannot be read; Error(data) if it holds no such file, if two files have
/// different dimensions (both files and both numbers named) or are of different models; Error(format) as
/// open_rows, which gets `column`.
std::vector<VectorFile> open_vector_files(const std::filesystem::path& folder,
                                          const std::string& column = {});

/// All batches, of one dimension and at least one, as one Rows, without copying: a block inside one file is
/// that file's, one that spans files is put together in the scratch. Of dtype f16 if all are; the space's id
/// and `unit` are kept if all batches agree.
Rows join_vector_files(const std::vector<VectorFile>& batches);

/// Whether the ending of a name is one of vectors: .npy, .npz, .safetensors or .parquet.
bool is_vector_file(const std::filesystem::path& path);

/// Vectors from a file (open_rows) or a folder of them (join_vector_files of open_vector_files).
Rows open_vectors_at(const std::filesystem::path& path, const std::string& column = {});

}  // namespace shoal
