#include "shoal/read/format.h"

#include <algorithm>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "shoal/read/dialect.h"
#include "shoal/read/json_scan.h"
#include "shoal/read/text_encoding.h"
#include "shoal/read/unpack.h"

namespace shoal {
namespace {

using std::string_view_literals::operator""sv;

struct Signature {
  std::string_view bytes;
  const char* what;
  const char* cure;
};

constexpr const char* kSaveAsCsv = "save the sheet as CSV UTF-8 first";
constexpr const char* kNoText = "shoal reads CSV, TSV, JSONL and plain text";
constexpr const char* kArchive = "unpack it first";

// First bytes as the formats' own specifications give them.
constexpr Signature kSignatures[] = {
    {"PK\x03\x04"sv, "a zip archive or an Office file (.xlsx, .docx, .ods)", kSaveAsCsv},
    {"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"sv, "an old Office file (.xls, .doc)", kSaveAsCsv},
    {"BZh"sv, "compressed by bzip2", "bzcat FILE | shoal ... - reads it"},
    {"\xFD"
     "7zXZ\0"sv,
     "compressed by xz", "xzcat FILE | shoal ... - reads it"},
    {"\x1F\x9D"sv, "compressed by compress", "zcat FILE | shoal ... - reads it"},
    {"\x04\x22\x4D\x18"sv, "compressed by lz4", "lz4cat FILE | shoal ... - reads it"},
    {"7z\xBC\xAF\x27\x1C"sv, "a 7-Zip archive", kArchive},
    {"Rar!\x1A\x07"sv, "a RAR archive", kArchive},
    {"ARROW1"sv, "an Arrow file", "write it as CSV or JSONL first, with DuckDB or pandas"},
    {"SQLite format 3\0"sv, "an SQLite database", "sqlite3 -csv -header FILE 'SELECT ...' writes CSV"},
    {"%PDF-"sv, "a PDF document", "pdftotext FILE - writes its text"},
    {"{\\rtf"sv, "an RTF document", "save it as plain text first"},
    {"\x89PNG\r\n\x1A\n"sv, "a PNG picture", kNoText},
    {"\xFF\xD8\xFF"sv, "a JPEG picture", kNoText},
    {"GIF8"sv, "a GIF picture", kNoText},
    {"\x7F"
     "ELF"sv,
     "a program", kNoText},
    {"\x93NUMPY"sv, "a NumPy array", kNoText},
};

// NUL to backspace, and from shift-out on, but for escape, which colours terminals.
bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x09 || (byte > 0x0D && byte < 0x20 && byte != 0x1B) || byte == 0x7F;
}

}  // namespace

std::optional<FileFormat> format_by_extension(const std::filesystem::path& path) {
  std::string extension = std::filesystem::path(unpacked_name(path.string())).extension().string();
  for (char& c : extension) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  if (extension == ".csv") return FileFormat::csv;
  if (extension == ".tsv" || extension == ".tab") return FileFormat::tsv;
  if (extension == ".jsonl" || extension == ".ndjson" || extension == ".json") return FileFormat::jsonl;
  if (extension == ".txt" || extension == ".text") return FileFormat::lines;
  return std::nullopt;
}

namespace {

constexpr std::string_view kBlank = " \t\r\n";

bool is_json_object(std::string_view text) {
  std::vector<JsonMember> members;
  return !parse_json_object(text, members);
}

// {" or {} at the beginning, or [ and an object.
bool begins_as_json(std::string_view head) {
  const auto next = [&](std::size_t from) { return head.find_first_not_of(kBlank, from); };
  std::size_t at = next(0);
  if (at != head.npos && head[at] == '[') at = next(at + 1);
  if (at == head.npos || head[at] != '{') return false;
  at = next(at + 1);
  return at == head.npos || head[at] == '"' || head[at] == '}';
}

// The first line is a JSON object, or the first element of an array one, as far as it is there.
bool is_json(std::string_view head, bool whole) {
  if (!begins_as_json(head)) return false;
  const std::size_t first = head.find_first_not_of(kBlank);
  const bool array = head[first] == '[';
  const std::size_t begin = array ? head.find('{', first) : first;
  const std::size_t length = array ? json_extent(head.substr(begin)) : head.find('\n', begin) - begin;
  if (length == 0 || begin + length > head.size()) return !whole || is_json_object(head.substr(begin));
  return is_json_object(head.substr(begin, length));
}

std::optional<char> one_character(const std::optional<std::string>& given, const char* option,
                                  const char* names,
                                  std::initializer_list<std::pair<std::string_view, char>> words) {
  if (!given) return std::nullopt;
  for (const auto& [word, character] : words)
    if (*given == word) return character;
  const bool fits = given->size() == 1 && static_cast<unsigned char>(given->front()) < 0x80;
  require(fits && *given != "\n" && *given != "\r", Fault::argument,
          option_name(option) + " " + *given + ": allowed is " + names);
  return given->front();
}

std::optional<char> given_delimiter(const ReadOptions& options) {
  return one_character(
      options.delimiter, "delimiter", "one ASCII character, or tab, comma, semicolon, bar or space",
      {{"tab", '\t'}, {"\\t", '\t'}, {"comma", ','}, {"semicolon", ';'}, {"bar", '|'}, {"space", ' '}});
}

std::optional<char> given_quote(const ReadOptions& options) {
  return one_character(options.quote, "quote", "one ASCII character, or double, single or none",
                       {{"double", '"'}, {"single", '\''}, {"none", '\0'}});
}

// Whether a backslash stands before quotes.
std::optional<bool> given_escape(const ReadOptions& options) {
  if (!options.escape) return std::nullopt;
  const std::string& given = *options.escape;
  if (given == "backslash" || given == "\\" || given == "\\\\") return true;
  require(given == "doubled" || given == "\"" || given == "\"\"" || given == "'", Fault::argument,
          option_name("escape") + " " + given + ": allowed is backslash (or \\) or doubled");
  return false;
}

CsvHints hints_of(const ReadOptions& options) {
  CsvHints hints;
  hints.delimiter = given_delimiter(options);
  hints.quote = given_quote(options);
  hints.backslash = given_escape(options);
  if (options.header) hints.header = *options.header == HeaderRow::yes;
  if (options.skip) hints.skipped = 0;  // they are left out already
  return hints;
}

bool describes_table(const ReadOptions& o) { return o.delimiter || o.quote || o.escape || o.header; }

}  // namespace

void check_reading(const ReadOptions& options) {
  const auto delimiter = given_delimiter(options), quote = given_quote(options);
  given_escape(options);
  require(!delimiter || !quote || *delimiter != *quote, Fault::argument,
          option_name("delimiter") + " and " + option_name("quote") + " are the same");
  require(!quote || *quote != 0 || !given_escape(options).value_or(false), Fault::argument,
          option_name("escape") + " says how quotes are written inside quoted fields; with " +
              option_name("quote") + " none there are none");
  const bool other =
      options.format && *options.format != FileFormat::csv && *options.format != FileFormat::tsv;
  require(!other || !describes_table(options), Fault::argument,
          option_name("delimiter") + ", " + option_name("quote") + ", " + option_name("escape") + " and " +
              option_name("header") + " say how tables are written; " + option_name("format") + " " +
              (options.format ? name_of(*options.format) : "") + " is none");
}

Recognised recognise(std::string_view head, bool whole, const std::filesystem::path& path,
                     const ReadOptions& options) {
  const std::optional<FileFormat> promised = options.format ? options.format : format_by_extension(path);
  CsvHints hints = hints_of(options);
  if (promised == FileFormat::tsv) hints.usual = '\t';
  if (options.format == FileFormat::tsv && !hints.delimiter) hints.delimiter = '\t';
  Recognised out;
  const bool table_given = options.format == FileFormat::csv || options.format == FileFormat::tsv;
  if (options.format && !table_given) {
    out.format = *options.format;
    return out;
  }
  if (!options.format) {
    const bool known_json =
        promised == FileFormat::jsonl && head.find_first_of("{[") == head.find_first_not_of(kBlank);
    const bool json = known_json || (promised ? is_json(head, whole) : begins_as_json(head));
    if (json) {
      out.format = FileFormat::jsonl;
      return out;
    }
  }
  const FoundLayout found = find_layout(head, whole, hints);
  out.layout = found.layout;
  const bool is_promised = promised == FileFormat::csv || promised == FileFormat::tsv;
  const bool is_table = is_promised || describes_table(options) || found.table == Table::certain ||
                        (!promised && found.table == Table::likely);
  if (is_table) {
    out.format = found.layout.dialect.delimiter == '\t' ? FileFormat::tsv : FileFormat::csv;
  } else {
    out.format = promised.value_or(FileFormat::lines);
  }
  return out;
}

FileReading reading_of(const Recognised& how) {
  FileReading out;
  out.format = how.format;
  if (how.format != FileFormat::csv && how.format != FileFormat::tsv) return out;
  const CsvDialect& dialect = how.layout.dialect;
  out.delimiter = delimiter_in_words(dialect.delimiter);
  out.quote = dialect.quote == 0 ? "none" : std::string{dialect.quote};
  out.escape = dialect.backslash ? "backslash" : "doubled";
  out.header = how.layout.header;
  out.skipped = how.layout.skipped;
  return out;
}

std::string remark_on(const FileReading& reading, const Recognised& how, const std::filesystem::path& path,
                      const ReadOptions& options) {
  const std::optional<FileFormat> promised = options.format ? options.format : format_by_extension(path);
  const bool table = reading.format == FileFormat::csv || reading.format == FileFormat::tsv;
  const bool table_promised = promised == FileFormat::csv || promised == FileFormat::tsv;
  std::vector<std::string> parts;
  if (reading.encoding != "UTF-8" && !options.encoding) parts.push_back("as " + reading.encoding);
  if (table && promised && !table_promised && !describes_table(options)) parts.emplace_back("as a table");
  if (!table && promised && promised != reading.format)
    parts.push_back("as " + std::string(name_of(reading.format)));
  if (table) {
    const char* usual = promised == FileFormat::tsv ? "tab" : ",";
    if (reading.delimiter != usual && !options.delimiter)
      parts.push_back("with the delimiter " + reading.delimiter);
    if (reading.quote == "none" && !options.quote) parts.emplace_back("with quotes as letters");
    if (reading.quote == "'" && !options.quote) parts.emplace_back("with ' as the quote");
    if (how.layout.dialect.backslash && !options.escape) parts.emplace_back("with quotes written \\\"");
    if (!reading.header && !options.header)
      parts.emplace_back("without a header: the columns are column_1 and so on");
    if (how.layout.unnamed_first) parts.emplace_back("with a first column that the header does not name");
    if (reading.skipped > 0 && !options.skip)
      parts.push_back(reading.skipped == 1
                          ? "without the line before its header"
                          : "without the " + std::to_string(reading.skipped) + " lines before its header");
  }
  std::string out;
  for (const std::string& part : parts) out += (out.empty() ? "read " : ", ") + part;
  return out;
}

void refuse_binary(const std::string& name, std::string_view head) {
  for (const Signature& s : kSignatures) {
    if (!head.starts_with(s.bytes)) continue;
    throw Error(Fault::data, name + " is " + s.what + ", which shoal does not read: " + s.cure);
  }
  constexpr std::size_t kTarMark = 257;
  if (head.size() > kTarMark && head.substr(kTarMark).starts_with("ustar"))
    throw Error(Fault::data, name + " is a tar archive, which shoal does not read: " + kArchive);
  constexpr Index kFew = 8;
  const Index controls = static_cast<Index>(std::count_if(head.begin(), head.end(), is_control));
  if (controls < kFew || controls * 20 <= head.size() || !wide_encoding(head).empty()) return;
  throw Error(Fault::data, name + " is binary (" + std::to_string(controls) +
                               " control characters in the first " + std::to_string(head.size()) +
                               " bytes); shoal reads CSV, TSV, JSONL and plain text");
}

void begin_text(Input& input) {
  if (input.rest().empty()) input.grow();
  if (input.rest().empty()) throw Error(Fault::data, input.name() + " is empty");
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  if (input.rest().starts_with(kMark)) input.take(kMark.size());
}

std::string delimiter_in_words(char delimiter) {
  if (delimiter == '\t') return "tab";
  if (delimiter == ' ') return "space";
  if (static_cast<unsigned char>(delimiter) > 0x20 && delimiter != '\x7F') return {delimiter};
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  const auto byte = static_cast<unsigned char>(delimiter);
  return std::string("\\x") + kDigits[byte >> 4] + kDigits[byte & 15];
}

}  // namespace shoal
