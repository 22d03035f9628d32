#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "shoal/core/rows.h"

namespace shoal {

/// The rows of a .npy file (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html) given its
/// bytes: 2-d, of floats, whole numbers or bool, in either order of bytes and of rows and columns, nothing
/// after the data. Error(format) on all else; `where` names the file in messages. `owner` keeps the bytes.
/// The rest as rows_over.
Rows parse_npy(std::span<const std::byte> file, const std::string& where, std::shared_ptr<const void> owner);

/// "100 x 384, float64": what the header at the beginning of a .npy file says. out: is_table, whether
/// parse_npy takes such an array. Error(format) if it is none.
std::string npy_kind(std::span<const std::byte> file, const std::string& where, bool& is_table);

/// The rows of a .npz file, a zip archive of .npy files, given its bytes: its only 2-d array of numbers, or
/// the one called vectors, embeddings or embedding. Error(format) that lists the arrays if there is none, or
/// several. A stored one is used where it stands; a packed one is unpacked into a file without a name in the
/// folder for temporary files ($TMPDIR), as large as the array.
Rows open_npz(std::span<const std::byte> file, const std::string& where, std::shared_ptr<const void> owner);

/// The bytes before the data, version 1.0, up to a 64-byte boundary.
std::string npy_header(Index rows, Index cols, Dtype dtype);

}  // namespace shoal
