#pragma once

#include <string>
#include <string_view>

#include "shoal/read/input.h"

namespace shoal {

/// The bytes of `from` unpacked, if they begin as gzip (also several members one after another) or zstd
/// (several frames) do, and packed twice too; else as they are. `kind` becomes "gzip", "zstd", "gzip, zstd"
/// or stays empty. Error(data), from the fetch that meets it, saying after how many bytes: cut short,
/// damaged, or followed by something else. Memory: the formats' windows, for zstd at most 128 MiB.
Input::Fetch unpacked(const std::string& name, Input::Fetch from, std::string& kind);

/// The first bytes of `from`, at most so many; it gives them again.
std::string begin_of(Input::Fetch& from, std::size_t bytes);

/// A file's name without .gz, .zst or .zstd at its end: "reviews.csv.gz" is "reviews.csv".
std::string unpacked_name(std::string_view name);

}  // namespace shoal
