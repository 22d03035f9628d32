#include "shoal/read/csv.h"

#include <algorithm>
#include <cstring>

#include "shoal/core/utf8.h"
#include "shoal/read/columns.h"
#include "shoal/read/scan.h"

namespace shoal {
namespace {

constexpr std::size_t kLookahead = 1u << 16;  // to see whether a row goes on well
constexpr int kTries = 64;                    // ways to read one row

bool is_line_end(char c) { return c == '\n' || c == '\r'; }
bool is_blank(std::string_view text) { return text.find_first_not_of(" \t") == std::string_view::npos; }

// Cuts one record. A pass over the bytes that copies nothing; the caller starts again when bytes were
// missing.
class Scanner {
 public:
  Scanner(std::string_view bytes, bool last, const CsvDialect& dialect, std::vector<CsvField>& fields,
          Index expected)
      : begin_(bytes.data()),
        p_(begin_),
        end_(begin_ + bytes.size()),
        last_(last),
        dialect_(dialect),
        finder_(dialect.delimiter, '\n', '\r'),
        fields_(fields),
        expected_(expected) {}

  CsvScan record() {
    fields_.clear();
    if (p_ == end_) return {last_ ? CsvEnd::complete : CsvEnd::incomplete, 0};
    if (is_line_end(*p_)) return line_end();
    for (;;) {
      if (!field()) return {last_ ? CsvEnd::unclosed : CsvEnd::incomplete, opened_};
      if (p_ == end_) return {last_ ? CsvEnd::complete : CsvEnd::incomplete, length(), stray_};
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
    return {CsvEnd::complete, length(), stray_};
  }

  // Leaves p_ at the delimiter, the line end or the end of the bytes. False: a quote is open.
  bool field() {
    if (dialect_.skip_space) {
      while (p_ != end_ && *p_ == ' ') ++p_;
    }
    if (p_ != end_ && *p_ == dialect_.quote && dialect_.quote != 0) return quoted_field();
    const char* start = p_;
    p_ = finder_.find(p_, end_);
    fields_.push_back({{start, static_cast<std::size_t>(p_ - start)}});
    return true;
  }

  bool quoted_field() {
    const char* start = p_;
    bool tangled = false;
    opened_ = length();
    const char* close =
        dialect_.backslash ? closing_escaped(start, tangled) : closing_quote(start + 1, tangled);
    if (close == nullptr) return false;
    p_ = finder_.find(close + 1, end_);
    if (!tangled && p_ == close + 1) {
      fields_.push_back({{start + 1, static_cast<std::size_t>(close - start - 1)}});
    } else {
      const std::string_view after(close + 1, static_cast<std::size_t>(p_ - close - 1));
      const bool stray = !is_blank(after);
      stray_ |= stray;
      fields_.push_back({{start, static_cast<std::size_t>(p_ - start)},
                         true,
                         stray,
                         static_cast<std::size_t>(close - start)});
    }
    return true;
  }

  const char* next_quote(const char* p, const char* end) const {
    return static_cast<const char*>(std::memchr(p, dialect_.quote, static_cast<std::size_t>(end - p)));
  }

  const char* closing_quote(const char* p, bool& doubled) const {
    for (;;) {
      p = next_quote(p, end_);
      if (p == nullptr || (p + 1 == end_ && !last_)) return nullptr;
      if (p + 1 == end_ || p[1] != dialect_.quote) return p;
      doubled = true;
      p += 2;
    }
  }

  // Whether a backslash before the quote at `p` belongs to it. The field's text begins at `first`.
  bool escaped(const char* first, const char* p) const {
    const char* slash = p;
    while (slash != first && slash[-1] == '\\') --slash;
    return dialect_.pairs ? (p - slash) % 2 == 1 : p != slash;
  }

  bool at_end(const char* p) const { return p == end_ || *p == dialect_.delimiter || is_line_end(*p); }

  const char* closing_escaped(const char* start, bool& tangled) const {
    const char* first = start + 1;
    for (const char* p = first;;) {
      p = next_quote(p, end_);
      if (p == nullptr || (p + 1 == end_ && !last_)) return nullptr;
      if (dialect_.pairs && !tangled) tangled = std::find(first, p, '\\') != p;
      if (!escaped(first, p)) {
        if (p + 1 == end_ || p[1] != dialect_.quote) return p;
        tangled = true;
        p += 2;
        continue;
      }
      if (at_end(p + 1)) {
        const Fit on = goes_on(first, p);
        if (on == Fit::unknown) return nullptr;
        if (on == Fit::no) return p;
      }
      tangled = true;
      ++p;
    }
  }

  enum class Fit { no, yes, unknown };

  // Whether the quote at `p`, behind a backslash and before the end of a field, is one of the text.
  Fit goes_on(const char* first, const char* p) const {
    const char* next = p + 1;
    if (next == end_ || is_line_end(*next)) {
      const bool complete = expected_ == 0 || fields_.size() + 1 >= expected_;
      return complete ? Fit::no : Fit::yes;
    }
    int tries = kTries;
    return fits(first, next, fields_.size(), tries);
  }

  // Whether the row is whole if the text of a quoted field, which began at `first`, goes on at `p`; `count`
  // fields lie before it.
  Fit fits(const char* first, const char* p, Index count, int& tries) const {
    const auto window = std::min(static_cast<std::size_t>(end_ - p), kLookahead);
    const char* limit = p + window;
    const Fit beyond = window < kLookahead && !last_ ? Fit::unknown : Fit::no;
    for (bool inside = true;;) {
      if (inside) {
        const char* quote = next_quote(p, limit);
        if (quote == nullptr || quote + 1 >= limit) {
          if (quote == nullptr || !last_ || limit != end_) return beyond;
          ++count;
          return whole(count);
        }
        const bool slash = escaped(first, quote);
        if (!slash && quote[1] == dialect_.quote) {
          p = quote + 2;
          continue;
        }
        const bool ends = at_end(quote + 1);
        if (slash && ends) {
          if (--tries < 0) return Fit::no;
          const Fit on = fits(first, quote + 1, count, tries);
          if (on != Fit::no) return on;
        } else if (slash) {
          p = quote + 1;
          continue;
        }
        if (!ends) return Fit::no;
        p = quote + 1;
      } else {
        while (dialect_.skip_space && p != limit && *p == ' ') ++p;
        if (p != limit && *p == dialect_.quote) {
          first = ++p;
          inside = true;
          continue;
        }
        p = finder_.find(p, limit);
        if (p == limit && !(last_ && limit == end_)) return beyond;
      }
      ++count;
      inside = false;
      if (p == limit || is_line_end(*p)) return whole(count);
      ++p;
    }
  }

  Fit whole(Index count) const { return expected_ == 0 || count == expected_ ? Fit::yes : Fit::no; }

  const char* begin_;
  const char* p_;
  const char* end_;
  bool last_;
  CsvDialect dialect_;
  ByteFinder finder_;
  std::vector<CsvField>& fields_;
  Index expected_;
  bool stray_ = false;
  std::size_t opened_ = 0;
};

}  // namespace

CsvScan scan_csv(std::string_view bytes, bool last, const CsvDialect& dialect, std::vector<CsvField>& fields,
                 Index expected) {
  return Scanner(bytes, last, dialect, fields, expected).record();
}

void untangle(const CsvField& field, const CsvDialect& dialect, std::string& out) {
  const std::string_view inside = field.raw.substr(1, field.close - 1);
  std::size_t copied = 0;
  for (std::size_t i = 0; i + 1 < inside.size(); ++i) {
    const bool doubled = inside[i] == dialect.quote && inside[i + 1] == dialect.quote;
    const bool escape = dialect.backslash && inside[i] == '\\' &&
                        (inside[i + 1] == dialect.quote || (dialect.pairs && inside[i + 1] == '\\'));
    if (!doubled && !escape) continue;
    out.append(inside, copied, i - copied);
    copied = i + 1;  // the second of the two is the value
    ++i;
  }
  out.append(inside, copied);
  out.append(field.raw, field.close + 1);
}

CsvDialect sniff_csv(std::string_view header) {
  constexpr std::string_view kDelimiters = ",;\t|";
  Index counts[kDelimiters.size()] = {};
  bool quoted = false;
  for (const char c : header) {
    if (c == '"') quoted = !quoted;
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

static void append_value(const CsvField& field, const CsvDialect& dialect, std::string& out) {
  if (field.tangled) {
    untangle(field, dialect, out);
  } else {
    out += field.raw;
  }
}

CsvReader::CsvReader(Input input, const CsvLayout& layout, ReadReport* report)
    : input_(std::move(input)), layout_(layout), report_(report) {
  skip_lines(layout_.skipped);
  read_header();
}

// The record at rest(), cut into fields_; its length in length_. False at the end of the input.
bool CsvReader::scan() {
  input_.take(length_);
  length_ = 0;
  const Index expected = columns_.size() + (layout_.trailing ? 1 : 0);
  for (;;) {
    const CsvScan found = scan_csv(input_.rest(), input_.ended(), layout_.dialect, fields_, expected);
    if (found.end == CsvEnd::complete) {
      input_.check_record(found.length);
      length_ = found.length;
      stray_ = found.stray;
      return length_ > 0;
    }
    if (found.end == CsvEnd::unclosed) {
      throw input_.error(Fault::data,
                         "a quote opens a field here and is never closed. Close it, or double the quotes "
                         "inside quoted fields; " +
                             option_name("quote") + " none reads quotes as letters",
                         found.length);
    }
    input_.grow();
  }
}

void CsvReader::skip_lines(Index lines) {
  for (; lines > 0; --lines) input_.take_line();
}

void CsvReader::read_header() {
  do {
    if (!scan()) throw Error(Fault::data, input_.name() + ": no header line: the file is blank");
  } while (fields_.empty());
  if (layout_.trailing && fields_.size() > 1) fields_.pop_back();
  std::vector<std::string> names;
  if (layout_.unnamed_first) names.emplace_back();
  for (const CsvField& f : fields_) append_value(f, layout_.dialect, names.emplace_back());
  if (!layout_.header) {
    names.assign(names.size(), "");
    length_ = 0;  // the first row
  }
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
  if (stray_) note_stray();
  if (fields_.size() != columns_.size()) fit_row();
  record.fields.resize(columns_.size());
  for (Index i = 0; i < fields_.size(); ++i) {
    const CsvField& f = fields_[i];
    if (!f.tangled) {
      record.fields[i] = f.raw;
      continue;
    }
    const std::size_t begin = values_.size();
    untangle(f, layout_.dialect, values_);
    record.fields[i] = std::string_view(values_).substr(begin);
  }
  return true;
}

bool CsvReader::blank() const {
  if (fields_.empty()) return true;
  return fields_.size() == 1 && columns_.size() > 1 && !fields_[0].tangled &&
         input_.rest().front() != layout_.dialect.quote &&
         fields_[0].raw.find_first_not_of(" \t") == std::string_view::npos;
}

void CsvReader::note_stray() {
  for (const CsvField& f : fields_) {
    if (!f.stray) continue;
    const std::string_view after = f.raw.substr(f.close + 1, 20);
    if (++report_->stray_quotes > 1) continue;
    add_note(*report_, input_.place() + ": text follows a closing quote (" + repair_utf8(after) +
                           "); it was kept without that quote. Quotes inside quoted fields are doubled, or " +
                           option_name("escape") + " backslash says how they are written");
  }
}

void CsvReader::fit_row() {
  const bool ends_with_delimiter = fields_.size() == columns_.size() + 1 && fields_.back().raw.empty();
  if (ends_with_delimiter) {
    fields_.pop_back();
    return;
  }
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
    if (i >= columns_.size()) last_ += layout_.dialect.delimiter;
    append_value(fields_[i], layout_.dialect, last_);
  }
  fields_.resize(columns_.size());
  fields_.back() = {last_};
}

}  // namespace shoal
