#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

#include "shoal/read/input.h"
#include "shoal/read/source.h"

namespace shoal {

/// The format that a file's extension names: .csv, .tsv and .tab, .jsonl, .ndjson and .json, .txt and .text.
std::optional<FileFormat> format_by_extension(const std::filesystem::path& path);

/// The format that the first bytes look like: jsonl if the first character that is no space is {, or is [
/// with a { behind it; csv or tsv if the first line has several columns of which one has a text's name; else
/// lines.
FileFormat format_by_content(std::string_view head);

/// Reads the first block, passes over a UTF-8 byte order mark, and refuses what is no UTF-8 text.
/// Error(data), naming the cure: UTF-16 and UTF-32 (iconv), gzip and other compression, Excel, PDF,
/// SQLite and others by their first bytes, and whatever consists of control characters by more than a
/// twentieth. Error(file): not one byte.
void check_is_text(Input& input);

}  // namespace shoal
