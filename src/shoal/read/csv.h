#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "shoal/read/input.h"
#include "shoal/read/record.h"

namespace shoal {

/// How a CSV file is written. A quote inside a field that did not begin with one is an ordinary character;
/// what follows a closing quote belongs to the field, and is counted. (RFC 4180, and for what breaks it
/// Python's csv module.)
struct CsvDialect {
  char delimiter = ',';
  bool skip_space = false;  ///< spaces after a delimiter are no part of the field
  char quote = '"';         ///< around fields, doubled inside them; 0: there are none
  bool backslash = false;   ///< quotes inside quoted fields may also stand behind a backslash
  bool pairs = false;       ///< so may backslashes

  bool operator==(const CsvDialect&) const = default;
};

/// A table's dialect, and where its rows begin.
struct CsvLayout {
  CsvDialect dialect;
  bool header = true;          ///< no: the columns are column_1, column_2 and so on
  Index skipped = 0;           ///< lines before the header, or before the first row
  bool trailing = false;       ///< the header ends with a delimiter, as the rows do
  bool unnamed_first = false;  ///< the header lacks a name for the first column, which numbers the rows

  bool operator==(const CsvLayout&) const = default;
};

/// A field as it lies in the file.
struct CsvField {
  std::string_view raw;   ///< without the quotes, unless it is `tangled`
  bool tangled = false;   ///< from the opening quote on; `untangle` makes the value
  bool stray = false;     ///< more than blanks follows the closing quote
  std::size_t close = 0;  ///< of a tangled field: where in `raw` the closing quote lies
};

enum class CsvEnd { complete, incomplete, unclosed };

struct CsvScan {
  CsvEnd end;
  std::size_t length;  ///< bytes of the record with its line end; for unclosed: where the quote opened
  bool stray = false;  ///< a field is
};

/// Cuts the first record of `bytes` into fields. Incomplete: more bytes are needed to know its end, and none
/// of `last` follows. Unclosed: the bytes are the last, and a quote is open. A blank line is a record of no
/// fields.
///
/// With dialect.backslash, \" before a delimiter or a line end may close the field (C:\dir\") or not: before
/// a delimiter it closes unless the row goes on well without, that is, its quotes close within 64 KiB,
/// nothing follows them, and it comes to `expected` fields (0: any number); before a line end it closes
/// unless fields are missing.
CsvScan scan_csv(std::string_view bytes, bool last, const CsvDialect& dialect, std::vector<CsvField>& fields,
                 Index expected = 0);

/// Appends the value of a tangled field.
void untangle(const CsvField& field, const CsvDialect& dialect, std::string& out);

/// The dialect that a header line speaks: the delimiter that occurs most often in it outside quotes (ties:
/// comma, semicolon, tab, bar; none: comma). If every name after the first begins with a space, spaces after
/// delimiters do not count in the whole file.
CsvDialect sniff_csv(std::string_view header);

/// Records of a CSV or TSV file with a header. Blank lines (in files of several columns also lines of
/// spaces) are passed over; short rows are filled with empty fields; the surplus of long rows is joined to
/// the last field by the delimiter, less empty fields at the end; fields with text behind their closing quote
/// keep it. All are counted in the report, but for one empty field too many: some programs end each row with
/// a delimiter.
class CsvReader {
 public:
  /// Reads the header. Error(data): none, or an open quote in it.
  CsvReader(Input input, const CsvLayout& layout, ReadReport* report);

  /// The header's names, made unique (see unique_names), or column_1 and so on.
  const std::vector<std::string>& columns() const { return columns_; }
  /// The next record; false at the end. Error(data): unclosed quote (naming the line where it opened), record
  /// over max_record.
  bool next(Record& record);
  const Input& input() const { return input_; }
  std::string place() const { return input_.place(); }  ///< file and line of the record given out last

 private:
  bool scan();
  void skip_lines(Index lines);
  void read_header();
  void note_stray();
  bool blank() const;
  void fit_row();
  void join_surplus();

  Input input_;
  CsvLayout layout_;
  ReadReport* report_;
  std::vector<std::string> columns_;
  std::vector<CsvField> fields_;
  bool stray_ = false;      // in a field of the record given out last
  std::size_t length_ = 0;  // of the record given out last, taken when the next one is asked for
  std::string values_;      // of tangled fields
  std::string last_;        // the last field of a long row
};

}  // namespace shoal
