#include "shoal/read/format.h"

#include <algorithm>
#include <string>
#include <vector>

#include "shoal/read/columns.h"
#include "shoal/read/csv.h"

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

// First bytes as the formats' own specifications give them. UTF-32 stands before UTF-16, which begins alike.
constexpr Signature kSignatures[] = {
    {"\xFF\xFE\0\0"sv, "UTF-32 text", "iconv -f UTF-32 -t UTF-8 FILE > NEW makes it UTF-8"},
    {"\0\0\xFE\xFF"sv, "UTF-32 text", "iconv -f UTF-32 -t UTF-8 FILE > NEW makes it UTF-8"},
    {"\xFF\xFE"sv, "UTF-16 text", "iconv -f UTF-16 -t UTF-8 FILE > NEW makes it UTF-8"},
    {"\xFE\xFF"sv, "UTF-16 text", "iconv -f UTF-16 -t UTF-8 FILE > NEW makes it UTF-8"},
    {"PK\x03\x04"sv, "a zip archive or an Office file (.xlsx, .docx, .ods)", kSaveAsCsv},
    {"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"sv, "an old Office file (.xls, .doc)", kSaveAsCsv},
    {"\x1F\x8B"sv, "compressed by gzip", "zcat FILE | shoal ... - reads it"},
    {"BZh"sv, "compressed by bzip2", "bzcat FILE | shoal ... - reads it"},
    {"\xFD"
     "7zXZ\0"sv,
     "compressed by xz", "xzcat FILE | shoal ... - reads it"},
    {"\x28\xB5\x2F\xFD"sv, "compressed by zstd", "zstdcat FILE | shoal ... - reads it"},
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

void refuse_binary(const std::string& name, std::string_view head) {
  for (const Signature& s : kSignatures) {
    if (!head.starts_with(s.bytes)) continue;
    throw Error(Fault::data, name + " is " + s.what + ", which shoal does not read: " + s.cure);
  }
  constexpr Index kFew = 8;
  const Index controls = static_cast<Index>(std::count_if(head.begin(), head.end(), is_control));
  const Index zeros = static_cast<Index>(std::count(head.begin(), head.end(), '\0'));
  if (controls < kFew || controls * 20 <= head.size()) return;
  const bool wide = zeros * 3 > head.size();  // ASCII in UTF-16 is zeros by half
  throw Error(Fault::data,
              name + " is binary (" + std::to_string(controls) + " control characters in the first " +
                  std::to_string(head.size()) + " bytes)" +
                  (wide ? ", perhaps UTF-16: iconv -f UTF-16LE -t UTF-8 FILE > NEW makes it UTF-8"
                        : "; shoal reads CSV, TSV, JSONL and plain text in UTF-8"));
}

std::string_view first_line(std::string_view head) {
  const std::size_t first = head.find_first_not_of("\r\n");
  if (first == std::string_view::npos) return {};
  head.remove_prefix(first);
  return head.substr(0, head.find_first_of("\r\n"));
}

}  // namespace

std::optional<FileFormat> format_by_extension(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  for (char& c : extension) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  if (extension == ".csv") return FileFormat::csv;
  if (extension == ".tsv" || extension == ".tab") return FileFormat::tsv;
  if (extension == ".jsonl" || extension == ".ndjson" || extension == ".json") return FileFormat::jsonl;
  if (extension == ".txt" || extension == ".text") return FileFormat::lines;
  return std::nullopt;
}

FileFormat format_by_content(std::string_view head) {
  const std::size_t first = head.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return FileFormat::lines;
  if (head[first] == '{') return FileFormat::jsonl;
  if (head[first] == '[') {
    const std::size_t second = head.find_first_not_of(" \t\r\n", first + 1);
    if (second != std::string_view::npos && head[second] == '{') return FileFormat::jsonl;
  }
  const std::string_view line = first_line(head);
  const CsvDialect dialect = sniff_csv(line);
  std::vector<CsvField> fields;
  if (scan_csv(line, true, dialect, fields).end != CsvEnd::complete || fields.size() < 2) {
    return FileFormat::lines;
  }
  std::vector<std::string> names;
  for (const CsvField& f : fields) names.emplace_back(f.raw);
  names = unique_names(names);
  if (std::none_of(names.begin(), names.end(), is_text_name)) return FileFormat::lines;
  return dialect.delimiter == '\t' ? FileFormat::tsv : FileFormat::csv;
}

void check_is_text(Input& input) {
  constexpr std::size_t kLooked = 1u << 16;
  if (input.rest().empty()) input.grow();
  const std::string_view rest = input.rest();
  if (rest.empty()) throw Error(Fault::data, input.name() + " is empty");
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  if (rest.starts_with(kMark)) input.take(kMark.size());
  refuse_binary(input.name(), rest.substr(0, kLooked));
}

}  // namespace shoal
