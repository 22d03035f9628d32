#include "shoal/read/csv.h"

#include <algorithm>
#include <cstring>

#include "shoal/core/utf8.h"
#include "shoal/read/columns.h"
#include "shoal/read/scan.h"

namespace shoal {
namespace {

constexpr char kQuote = '"';

bool is_line_end(char c) { return c == '\n' || c == '\r'; }

// Cuts one record. A pass over the bytes that copies nothing; the caller starts again when bytes were
// missing.
class Scanner {
 public:
  Scanner(std::string_view bytes, bool last, const CsvDialect& dialect, std::vector<CsvField>& fields)
      : begin_(bytes.data()),
        p_(begin_),
        end_(begin_ + bytes.size()),
        last_(last),
        dialect_(dialect),
        finder_(dialect.delimiter, '\n', '\r'),
        fields_(fields) {}

  CsvScan record() {
    fields_.clear();
    if (p_ == end_) return {last_ ? CsvEnd::complete : CsvEnd::incomplete, 0};
    if (is_line_end(*p_)) return line_end();
    for (;;) {
      if (!field()) return {last_ ? CsvEnd::unclosed : CsvEnd::incomplete, opened_};
      if (p_ == end_) return {last_ ? CsvEnd::complete : CsvEnd::incomplete, length()};
      if (*p_ != dialect_.delimiter) return line_end();
      ++p_;
    }
  }

 private:
  std::size_t length() const { return static_cast<std::size_t>(p_ - begin_); }

  // LF, CR LF or CR; a CR at the end of the bytes may be half of a CR LF.
  CsvScan line_end() {
    if (*p_ == '\r') {
      if (p_ + 1 == end_ && !last_) return {CsvEnd::incomplete, 0};
      if (p_ + 1 != end_ && p_[1] == '\n') ++p_;
    }
    ++p_;
    return {CsvEnd::complete, length()};
  }

  // Leaves p_ at the delimiter, the line end or the end of the bytes. False: a quote is open.
  bool field() {
    if (dialect_.skip_space) {
      while (p_ != end_ && *p_ == ' ') ++p_;
    }
    if (p_ != end_ && *p_ == kQuote) return quoted_field();
    const char* start = p_;
    p_ = finder_.find(p_, end_);
    fields_.push_back({{start, static_cast<std::size_t>(p_ - start)}, false});
    return true;
  }

  bool quoted_field() {
    const char* start = p_;
    bool doubled = false;
    opened_ = length();
    const char* close = closing_quote(start + 1, doubled);
    if (close == nullptr) return false;
    p_ = finder_.find(close + 1, end_);
    if (!doubled && p_ == close + 1) {
      fields_.push_back({{start + 1, static_cast<std::size_t>(close - start - 1)}, false});
    } else {
      fields_.push_back({{start, static_cast<std::size_t>(p_ - start)}, true});
    }
    return true;
  }

  const char* closing_quote(const char* p, bool& doubled) const {
    for (;;) {
      p = static_cast<const char*>(std::memchr(p, kQuote, static_cast<std::size_t>(end_ - p)));
      if (p == nullptr || (p + 1 == end_ && !last_)) return nullptr;
      if (p + 1 == end_ || p[1] != kQuote) return p;
      doubled = true;
      p += 2;
    }
  }

  const char* begin_;
  const char* p_;
  const char* end_;
  bool last_;
  CsvDialect dialect_;
  ByteFinder finder_;
  std::vector<CsvField>& fields_;
  std::size_t opened_ = 0;
};

}  // namespace

CsvScan scan_csv(std::string_view bytes, bool last, const CsvDialect& dialect,
                 std::vector<CsvField>& fields) {
  return Scanner(bytes, last, dialect, fields).record();
}

void untangle(std::string_view raw, std::string& out) {
  std::size_t i = 1;  // after the opening quote
  for (;;) {
    const std::size_t quote = raw.find(kQuote, i);
    if (quote == std::string_view::npos) return;  // only for text that is no tangled field
    out.append(raw, i, quote - i);
    if (quote + 1 == raw.size() || raw[quote + 1] != kQuote) {
      out.append(raw, quote + 1);
      return;
    }
    out += kQuote;
    i = quote + 2;
  }
}

CsvDialect sniff_csv(std::string_view header) {
  constexpr std::string_view kDelimiters = ",;\t|";
  Index counts[kDelimiters.size()] = {};
  bool quoted = false;
  for (const char c : header) {
    if (c == kQuote) quoted = !quoted;
    const std::size_t which = kDelimiters.find(c);
    if (!quoted && which != std::string_view::npos) ++counts[which];
  }
  CsvDialect dialect{kDelimiters[std::max_element(std::begin(counts), std::end(counts)) - counts], false};
  std::vector<CsvField> fields;
  scan_csv(header, true, dialect, fields);
  const auto begins_with_space = [](const CsvField& f) { return f.raw.starts_with(' '); };
  dialect.skip_space = fields.size() > 1 && std::all_of(fields.begin() + 1, fields.end(), begins_with_space);
  return dialect;
}

// "sep=;" on the first line, which Excel obeys and does not show.
static bool names_delimiter(std::string_view line, CsvDialect& dialect) {
  while (!line.empty() && is_line_end(line.back())) line.remove_suffix(1);
  if (line.size() != 5 || !line.starts_with("sep=") || line[4] == kQuote) return false;
  dialect = {line[4], false};
  return true;
}

static void append_value(const CsvField& field, std::string& out) {
  if (field.tangled) {
    untangle(field.raw, out);
  } else {
    out += field.raw;
  }
}

CsvReader::CsvReader(Input input, FileFormat format, ReadReport* report)
    : input_(std::move(input)), report_(report) {
  read_header(format);
}

// The record at rest(), cut into fields_; its length in length_. False at the end of the input.
bool CsvReader::scan() {
  input_.take(length_);
  length_ = 0;
  for (;;) {
    const CsvScan found = scan_csv(input_.rest(), input_.ended(), dialect_, fields_);
    if (found.end == CsvEnd::complete) {
      input_.check_record(found.length);
      length_ = found.length;
      return length_ > 0;
    }
    if (found.end == CsvEnd::unclosed) {
      throw input_.error(Fault::data,
                         "a quote opens a field here and is never closed. Close it, or double the quotes "
                         "inside quoted fields",
                         found.length);
    }
    input_.grow();
  }
}

void CsvReader::read_header(FileFormat format) {
  const bool sniff = format == FileFormat::csv;
  if (!sniff) dialect_.delimiter = '\t';
  do {
    if (!scan()) throw Error(Fault::data, input_.name() + ": no header line: the file is blank");
  } while (fields_.empty());
  if (sniff) {
    const std::string_view line = input_.rest().substr(0, length_);
    if (!names_delimiter(line, dialect_)) {
      dialect_ = sniff_csv(line);
      length_ = 0;  // the same line again, now with its own delimiter
    }
    if (!scan() || fields_.empty()) throw Error(Fault::data, input_.name() + ": no header line");
  }
  std::vector<std::string> names;
  for (const CsvField& f : fields_) append_value(f, names.emplace_back());
  columns_ = unique_names(names);
}

bool CsvReader::next(Record& record) {
  for (;;) {
    if (!scan()) return false;
    if (!blank()) break;
    ++report_->empty_rows;
  }
  record.kinds.clear();
  record.utf8 = first_invalid_utf8(input_.rest().substr(0, length_)) == std::string_view::npos;
  values_.clear();
  values_.reserve(length_);  // the views into it must stay
  if (fields_.size() != columns_.size()) fit_row();
  record.fields.resize(columns_.size());
  for (Index i = 0; i < fields_.size(); ++i) {
    const CsvField& f = fields_[i];
    if (!f.tangled) {
      record.fields[i] = f.raw;
      continue;
    }
    const std::size_t begin = values_.size();
    untangle(f.raw, values_);
    record.fields[i] = std::string_view(values_).substr(begin);
  }
  return true;
}

bool CsvReader::blank() const {
  if (fields_.empty()) return true;
  return fields_.size() == 1 && columns_.size() > 1 && !fields_[0].tangled &&
         input_.rest().front() != kQuote && fields_[0].raw.find_first_not_of(" \t") == std::string_view::npos;
}

void CsvReader::fit_row() {
  const auto note = [&](Index found) {
    add_note(*report_, input_.place() + ": " + std::to_string(found) + (found == 1 ? " field" : " fields") +
                           ", the header has " + std::to_string(columns_.size()));
  };
  note(fields_.size());
  if (fields_.size() < columns_.size()) {
    ++report_->short_rows;
    fields_.resize(columns_.size());
  } else {
    ++report_->long_rows;
    join_surplus();
  }
}

void CsvReader::join_surplus() {
  while (fields_.size() > columns_.size() && fields_.back().raw.empty()) fields_.pop_back();
  if (fields_.size() == columns_.size()) return;
  last_.clear();
  for (Index i = columns_.size() - 1; i < fields_.size(); ++i) {
    if (i >= columns_.size()) last_ += dialect_.delimiter;
    append_value(fields_[i], last_);
  }
  fields_.resize(columns_.size());
  fields_.back() = {last_, false};
}

}  // namespace shoal
