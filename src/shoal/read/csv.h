#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "shoal/read/input.h"
#include "shoal/read/record.h"

namespace shoal {

/// How a CSV file is written. Quotes are doubled inside quoted fields; a quote inside a field that did not
/// begin with one is an ordinary character; what follows a closing quote belongs to the field. (RFC 4180, and
/// for what breaks it Python's csv module.)
struct CsvDialect {
  char delimiter = ',';
  bool skip_space = false;  ///< spaces after a delimiter are no part of the field

  bool operator==(const CsvDialect&) const = default;
};

/// A field as it lies in the file.
struct CsvField {
  std::string_view raw;  ///< without the quotes, unless it is `tangled`
  bool tangled = false;  ///< from the opening quote on; `untangle` makes the value
};

enum class CsvEnd { complete, incomplete, unclosed };

struct CsvScan {
  CsvEnd end;
  std::size_t length;  ///< bytes of the record with its line end; for unclosed: where the quote opened
};

/// Cuts the first record of `bytes` into fields. Incomplete: more bytes are needed to know its end, and none
/// of `last` follows. Unclosed: the bytes are the last, and a quote is open. A blank line is a record of no
/// fields.
CsvScan scan_csv(std::string_view bytes, bool last, const CsvDialect& dialect, std::vector<CsvField>& fields);

/// Appends the value of a tangled field.
void untangle(std::string_view raw, std::string& out);

/// The dialect that a header line speaks: the delimiter that occurs most often in it outside quotes (ties:
/// comma, semicolon, tab, bar; none: comma). If every name after the first begins with a space, spaces after
/// delimiters do not count in the whole file.
CsvDialect sniff_csv(std::string_view header);

/// Records of a CSV or TSV file with a header. Blank lines (in files of several columns also lines of
/// spaces) are passed over; short rows are filled with empty fields; the surplus of long rows is joined to
/// the last field by the delimiter, less empty fields at the end. All are counted in the report.
class CsvReader {
 public:
  /// Reads the header. The delimiter of .tsv files is the tab; that of .csv files is sniffed, or named by a
  /// first line "sep=;" as Excel has it. Error(data): no header, or an open quote in it.
  CsvReader(Input input, FileFormat format, ReadReport* report);

  /// The header's names, made unique (see unique_names).
  const std::vector<std::string>& columns() const { return columns_; }
  /// The next record; false at the end. Error(data): unclosed quote (naming the line where it opened), record
  /// over max_record.
  bool next(Record& record);
  const Input& input() const { return input_; }
  std::string place() const { return input_.place(); }  ///< file and line of the record given out last

 private:
  bool scan();
  void read_header(FileFormat format);
  bool blank() const;
  void fit_row();
  void join_surplus();

  Input input_;
  CsvDialect dialect_;
  ReadReport* report_;
  std::vector<std::string> columns_;
  std::vector<CsvField> fields_;
  std::size_t length_ = 0;  // of the record given out last, taken when the next one is asked for
  std::string values_;      // of tangled fields
  std::string last_;        // the last field of a long row
};

}  // namespace shoal
