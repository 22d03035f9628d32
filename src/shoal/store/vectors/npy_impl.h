#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "shoal/core/rows.h"

namespace shoal {

/// The rows of a .npy file (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html) given its
/// bytes: 2-d, C order, little-endian f4 or f2, nothing after the data. Error(format) on all else; `where`
/// names the file in messages. `owner` keeps the bytes.
Rows parse_npy(std::span<const std::byte> file, const std::string& where, std::shared_ptr<const void> owner);

/// The bytes before the data, version 1.0, up to a 64-byte boundary.
std::string npy_header(Index rows, Index cols, Dtype dtype);

}  // namespace shoal
