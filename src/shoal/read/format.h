#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

#include "shoal/read/csv.h"
#include "shoal/read/input.h"
#include "shoal/read/source.h"

namespace shoal {

/// The format that a file's extension names, below .gz, .zst or .zstd: .csv, .tsv and .tab, .jsonl, .ndjson
/// and .json, .txt and .text.
std::optional<FileFormat> format_by_extension(const std::filesystem::path& path);

struct Recognised {
  FileFormat format = FileFormat::lines;
  CsvLayout layout;  ///< of csv and tsv
};

/// How the text is written whose first bytes are `head` (all of it, if `whole`), as far as `options` do not
/// say. By content: JSONL if the first line is a JSON object, or the first characters are those of an array
/// of them; a table if find_layout is certain of it. Else what the extension of `path` promises. Without a
/// known one: JSONL if the first characters are { and "; a table if it is likely; else lines.
Recognised recognise(std::string_view head, bool whole, const std::filesystem::path& path,
                     const ReadOptions& options);

/// What was found of a file, in words; its encoding is not yet known.
FileReading reading_of(const Recognised& how);

/// What of it is not plain and was not asked for: "read as windows-1251, with the delimiter ;". Plain are
/// UTF-8, the format that the extension names, commas (tabs in .tsv), double quotes, doubled ones inside, and
/// a header on the first line.
std::string remark_on(const FileReading& reading, const Recognised& how, const std::filesystem::path& path,
                      const ReadOptions& options);

/// Error(argument) naming the option, if one of those that say how tables are written makes no sense.
void check_reading(const ReadOptions& options);

/// Throws Error(data) if the first bytes of a file, unpacked, are no text, naming the cure: other
/// compression, Excel, Parquet, PDF, SQLite and others by their first bytes, and whatever consists of control
/// characters by more than a twentieth, unless it is UTF-16 or UTF-32.
void refuse_binary(const std::string& name, std::string_view head);

/// Passes over a UTF-8 byte order mark. Error(data): not one byte.
void begin_text(Input& input);

/// "," as it is, tab, and \x01 for what cannot be seen.
std::string delimiter_in_words(char delimiter);

}  // namespace shoal
