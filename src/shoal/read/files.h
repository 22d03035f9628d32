#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

namespace shoal {

/// Checks before anything is read that every file is there and can be read. Error(argument): no file, or "-"
/// twice. Error(file): absent, a directory, unreadable. Error(data): a regular file of no bytes.
void check_files(const std::vector<std::filesystem::path>& files);

/// Bytes of all files; nothing if one of them is a stream.
std::optional<std::uint64_t> total_bytes(const std::vector<std::filesystem::path>& files);

}  // namespace shoal
