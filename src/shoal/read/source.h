#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "shoal/core/fields.h"
#include "shoal/core/texts.h"

namespace shoal {

enum class FileFormat : std::uint8_t { csv, tsv, jsonl, lines };
constexpr auto names_of(FileFormat) { return std::array{"csv", "tsv", "jsonl", "lines"}; }

/// A key of JSON objects that is no column.
struct UnknownKey {
  std::string key;
  std::string first;  ///< "b.jsonl, line 3"
  Index values = 0;   ///< passed over
};

/// What a reader repaired or passed over, with the first few places: nothing is dropped silently.
struct ReadReport {
  Index rows = 0;                        ///< rows given out
  Index empty_rows = 0;                  ///< blank lines passed over
  Index repaired_utf8 = 0;               ///< fields in which bytes became U+FFFD
  Index short_rows = 0;                  ///< rows with fewer fields than the header: filled with empty
  Index long_rows = 0;                   ///< rows with more: the extra fields are joined to the last
  Index unknown_values = 0;              ///< values of JSON objects passed over: their key is no column
  std::vector<UnknownKey> unknown_keys;  ///< the first ten such keys
  std::vector<std::string> notes;        ///< "reviews.csv, line 17: 3 fields, the header has 5", at most 10
};

struct ReadOptions {
  std::optional<FileFormat> format;       ///< absent: by extension, then by content
  std::vector<std::string> text_columns;  ///< empty: found; several: joined by a line feed
  std::optional<Index> limit;             ///< most rows over all files
  std::size_t max_record = 64u << 20;     ///< bytes; a longer record is Error(data) with file and line
};
template <class V>
void fields(ReadOptions& o, V&& visit) {
  visit("format", o.format, "how the files are written. Default: by the file's ending, then by content");
  visit("limit", o.limit, "read at most this many rows, over all files together", at_least(1));
  visit("max_record", o.max_record, "longest row in bytes; a longer one is an error", at_least(1));
}

/// Rows of one or several text files, batch by batch; "-" is standard input. Memory: one batch, one MiB, and
/// twice the longest record. Texts are given out byte for byte as they stand in the file, but for ill-formed
/// UTF-8.
///
///   Source source({"reviews.csv"}, {.text_columns = {"review"}});
///   Texts texts;
///   std::vector<Texts> others;
///   while (source.next(1024, texts, others)) { ... }
///
/// A Parquet file is known by its first bytes, whatever its name (parquet.h). Format of text:
/// ReadOptions::format, else by extension, else by content (jsonl if the first character is {, csv or
/// tsv if the first line has several columns and one of them a name from the list below, else lines). CSV and
/// TSV need a header. Several files need the same columns in any order; JSONL files that follow may lack
/// some. For what each format means see csv.h, jsonl.h, lines.h.
class Source {
 public:
  /// Checks that all files are there, opens the first and finds the text column: the named ones, else the
  /// only column there is, else the only one called text, texts, description, content, body, message, review,
  /// question, title, sentence, document, comment, utterance, query or headline, else the only one whose
  /// first values read like prose. Error(argument) listing the columns if none or several fit. Error(file):
  /// absent, a directory, unreadable. Error(data): empty, header only, binary, UTF-16. The other files are
  /// opened when their turn comes. `stop` is asked whenever bytes are needed, also while a pipe gives none:
  /// Error(cancelled).
  Source(std::vector<std::filesystem::path> files, ReadOptions options, std::stop_token stop = {});
  Source(Source&&) noexcept;
  ~Source();

  const std::vector<std::string>& text_columns() const;   ///< as chosen
  const std::vector<std::string>& other_columns() const;  ///< all others, in order
  /// Puts the next rows, at most `most` (>= 1), into `texts` and, in the order of other_columns, into
  /// `others`, in place of what they held. False at the end, with nothing in them. Several text columns are
  /// joined by a line feed, empty ones left out. Error(data), naming file and line: a record over max_record,
  /// an open quote, broken JSON, a text that is no string, a further file with other columns.
  bool next(Index most, Texts& texts, std::vector<Texts>& others);
  /// What the cells were that `next` gave last: of each row a CellKind for its text (that of the only text
  /// column; a string if there are several) and one for each of other_columns. Empty if all were strings.
  const Texts& kinds() const;
  const ReadReport& report() const;
  /// Bytes taken so far, and of all files if known (not for standard input): for progress.
  std::uint64_t bytes_read() const;
  std::optional<std::uint64_t> bytes_total() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace shoal
