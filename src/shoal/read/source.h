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
#include "shoal/read/equal_texts.h"

namespace shoal {

enum class FileFormat : std::uint8_t { csv, tsv, jsonl, lines };
constexpr auto names_of(FileFormat) { return std::array{"csv", "tsv", "jsonl", "lines"}; }

enum class HeaderRow : std::uint8_t { yes, no };
constexpr auto names_of(HeaderRow) { return std::array{"yes", "no"}; }

/// How a file was read: as it was found or the options said.
struct FileReading {
  std::string file;  ///< the first that was read so
  Index files = 1;   ///< one after another that were read so
  FileFormat format = FileFormat::lines;
  std::string compression;  ///< "gzip", "zstd"; empty: none
  std::string encoding;     ///< "UTF-8", "windows-1251"
  std::string delimiter;    ///< of csv and tsv; "tab"
  std::string quote;        ///< the same; "none"
  std::string escape;       ///< the same; "doubled", "backslash"
  bool header = true;       ///< the same
  Index skipped = 0;        ///< lines before the header or the first row
  std::string
      remark;  ///< what was found that is not plain: "read as windows-1251, delimiter ;"; empty: nothing

  bool operator==(const FileReading&) const = default;
};

/// A key of JSON objects that is no column.
struct UnknownKey {
  std::string key;
  std::string first;  ///< "b.jsonl, line 3"
  Index values = 0;   ///< passed over
};

/// What a reader repaired or passed over, with the first few places: nothing is dropped silently.
struct ReadReport {
  Index rows = 0;                     ///< rows given out
  Index empty_rows = 0;               ///< blank lines passed over
  Index repaired_utf8 = 0;            ///< fields in which bytes became U+FFFD
  Index lone_surrogates = 0;          ///< JSON strings in which half a surrogate pair (\\ud800) became U+FFFD
  Index stray_quotes = 0;             ///< fields of tables in which text follows the closing quote
  Index short_rows = 0;               ///< rows with fewer fields than the header: filled with empty
  Index long_rows = 0;                ///< rows with more: the extra fields are joined to the last
  Index blank_texts = 0;              ///< texts of nothing but blanks
  std::string first_blank;            ///< where the first of them stands: "reviews.csv, line 17"
  Index equal_texts = 0;              ///< other texts that stood in an earlier row too
  std::vector<EqualText> most_equal;  ///< the most frequent of them, at most three
  Index unknown_values = 0;           ///< values of JSON objects passed over: their key is no column
  std::vector<UnknownKey> unknown_keys;  ///< the first ten such keys
  std::vector<FileReading> readings;     ///< of the files opened so far; equal ones are one
  std::vector<std::string> notes;        ///< "reviews.csv, line 17: 3 fields, the header has 5", at most 10
};

struct ReadOptions {
  std::optional<FileFormat> format;       ///< absent: found
  std::vector<std::string> text_columns;  ///< empty: found; several: joined by a line feed
  /// The first column is taken for the text, whatever it is called and holds: for readers of whole tables.
  bool first_column = false;
  std::optional<std::string> encoding;  ///< any label of the WHATWG; absent: found
  std::optional<std::string>
      delimiter;                       ///< one character, or tab, comma, semicolon, bar, space; absent: found
  std::optional<std::string> quote;    ///< one character, or double, single, none; absent: found
  std::optional<std::string> escape;   ///< backslash or \, doubled or "; absent: found
  std::optional<HeaderRow> header;     ///< absent: found
  std::optional<Index> skip;           ///< lines at the beginning of each file; absent: found
  std::optional<Index> limit;          ///< most rows over all files
  std::size_t max_record = 64u << 20;  ///< bytes; a longer record is Error(data) with file and line
};
template <class V>
void fields(ReadOptions& o, V&& visit) {
  visit("format", o.format,
        "how the files are written. Default: found by content; the ending decides if that does not");
  visit("encoding", o.encoding,
        "encoding of the files, as UTF-8, windows-1251, latin1, shift_jis. Default: found, and said if it is "
        "not UTF-8");
  visit("delimiter", o.delimiter,
        "what separates the fields of tables: one character, or tab, comma, semicolon, bar or space. "
        "Default: found");
  visit("quote", o.quote,
        "what stands around fields of tables: one character, or double, single or none. Default: found");
  visit("escape", o.escape,
        "how quotes are written inside quoted fields: backslash (or \\) for \\\", doubled for \"\". Default: "
        "found");
  visit("header", o.header,
        "whether tables begin with the names of their columns; no: they are column_1 and so on. "
        "Default: found");
  visit("skip", o.skip,
        "leave out this many lines at the beginning of each file. Default: titles before a header are found",
        at_least(0));
  visit("limit", o.limit, "read at most this many rows, over all files together", at_least(1));
  visit("max_record", o.max_record, "longest row in bytes; a longer one is an error", at_least(1));
}

/// Rows of one or several text files, batch by batch; "-" is standard input. Memory: one batch, one MiB, and
/// twice the longest record. Texts are given out byte for byte as they stand in the file, but for other
/// encodings and ill-formed UTF-8.
///
///   Source source({"reviews.csv"}, {.text_columns = {"review"}});
///   Texts texts;
///   std::vector<Texts> others;
///   while (source.next(1024, texts, others)) { ... }
///
/// The same bytes mean the same from a file of any name, a pipe or standard input: gzip and zstd are unpacked
/// (unpack.h), a Parquet file is known by its first bytes (parquet.h), the encoding of text is found
/// (text_encoding.h), then the format and how a table is written (format.h, dialect.h), unless the options
/// say. Several files need the same columns in any order; JSONL files that follow may lack some. For what
/// each format means see csv.h, jsonl.h, lines.h.
class Source {
 public:
  /// Checks that all files are there, opens the first and finds the text column: the named ones, else the
  /// only column there is, else the only one called text, texts, description, content, body, message, review,
  /// question, title, sentence, document, comment, utterance, query or headline, else the only one whose
  /// first values read like prose. Error(argument) listing the columns if none or several fit. Error(file):
  /// absent, a directory, unreadable. Error(data): empty, header only, binary, damaged gzip or zstd, an
  /// encoding that cannot be told. The other files are opened when their turn comes. `stop` is asked whenever
  /// bytes are needed, also while a pipe gives none: Error(cancelled).
  Source(std::vector<std::filesystem::path> files, ReadOptions options, std::stop_token stop = {});
  Source(Source&&) noexcept;
  ~Source();

  const std::vector<std::string>& text_columns() const;   ///< as chosen
  const std::vector<std::string>& other_columns() const;  ///< all others, in order
  const std::vector<std::string>& columns() const;        ///< all, in the order of the first file
  /// Puts the next rows, at most `most` (>= 1) and no more once they have 16 MiB, into `texts` and, in the
  /// order of other_columns, into `others`, in place of what they held. False at the end, with nothing in
  /// them. Several text columns are joined by a line feed, empty ones left out. Error(data), naming file and
  /// line: a record over max_record, an open quote, broken JSON, a text that is no string, a further file
  /// with other columns.
  bool next(Index most, Texts& texts, std::vector<Texts>& others);
  /// What the cells were that `next` gave last: of each row a CellKind for its text (that of the only text
  /// column; a string if there are several) and one for each of other_columns. Empty if all were strings.
  const Texts& kinds() const;
  const ReadReport& report() const;
  /// Bytes taken so far, and of all files if known (not for streams): for progress. Packed files count as
  /// they lie on disk.
  std::uint64_t bytes_read() const;
  std::optional<std::uint64_t> bytes_total() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace shoal
