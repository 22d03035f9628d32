#include "shoal/read/dialect.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "shoal/core/utf8.h"
#include "shoal/read/columns.h"

namespace shoal {
namespace {

constexpr Index kMostTitles = 20;
constexpr std::string_view kDelimiters = ",;\t|";

struct Cell {
  std::string value;
  bool quoted = false;
};

struct Row {
  std::vector<Cell> cells;
  Index line = 0;  // lines before it
  Index stray = 0;
};

struct Sample {
  std::vector<Row> rows;  // but blank ones
  bool unclosed = false;  // the last one is, and most of the bytes lie in it
};

Index lines_in(std::string_view text) {
  Index count = 0;
  for (std::size_t i = 0; i < text.size(); ++i)
    count += text[i] == '\n' || (text[i] == '\r' && (i + 1 == text.size() || text[i + 1] != '\n'));
  return count;
}

Sample read_rows(std::string_view head, bool whole, const CsvDialect& dialect, Index expected = 0) {
  Sample out;
  std::vector<CsvField> fields;
  Index line = 0;
  const std::size_t size = head.size();
  while (out.rows.size() < kLayoutRows) {
    const CsvScan found = scan_csv(head, whole, dialect, fields, expected);
    if (found.end != CsvEnd::complete) {
      out.unclosed = found.end == CsvEnd::unclosed || 2 * head.size() > size;
      break;
    }
    if (found.length == 0) break;
    const char* bytes = head.data();
    const auto blank = [](const CsvField& f) {
      return f.raw.find_first_not_of(" \t") == std::string_view::npos;
    };
    if (!fields.empty() && !(fields.size() == 1 && blank(fields[0]) && head.front() != dialect.quote)) {
      Row& row = out.rows.emplace_back();
      row.line = line;
      for (const CsvField& f : fields) {
        Cell& cell = row.cells.emplace_back();
        cell.quoted =
            f.tangled || (f.raw.data() != bytes && dialect.quote != 0 && f.raw.data()[-1] == dialect.quote);
        if (f.tangled) {
          untangle(f, dialect, cell.value);
        } else {
          cell.value = f.raw;
        }
        row.stray += f.stray;
      }
    }
    line += lines_in(head.substr(0, found.length));
    head.remove_prefix(found.length);
  }
  return out;
}

enum class Kind { empty, number, date, link, text };

bool has_only(std::string_view text, std::string_view allowed) {
  return text.find_first_not_of(allowed) == std::string_view::npos;
}

std::string_view trimmed(std::string_view s) {
  const std::size_t first = s.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return s.substr(first, s.find_last_not_of(" \t\r\n") - first + 1);
}

Kind kind_of(std::string_view raw) {
  const std::string_view s = trimmed(raw);
  if (s.empty()) return Kind::empty;
  if (s.starts_with("http://") || s.starts_with("https://") || s.starts_with("www.")) return Kind::link;
  const std::size_t at = s.find('@');
  if (at != std::string_view::npos && at > 0 && s.find(' ') == s.npos && s.find('.', at) != s.npos)
    return Kind::link;
  const auto digits = std::count_if(s.begin(), s.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (digits == 0) return Kind::text;
  const auto marks =
      std::count_if(s.begin(), s.end(), [](char c) { return c == '-' || c == '/' || c == ':' || c == '.'; });
  if (marks >= 2 && digits >= 4 && has_only(s, "0123456789-/:.TZ+, ") && s.front() != '-') return Kind::date;
  std::string_view number = s;
  for (const std::string_view sign : {"\xE2\x82\xAC", "\xC2\xA3", "$"})
    if (number.starts_with(sign)) number.remove_prefix(sign.size());
  if (has_only(number, "0123456789.,+-eE% ") && number.find_first_of("eE") != 0) return Kind::number;
  return Kind::text;
}

bool typed(Kind kind) { return kind == Kind::number || kind == Kind::date || kind == Kind::link; }

Index words_in(std::string_view text) {
  Index words = 0;
  bool inside = false;
  for (const char c : text) {
    const bool space = c == ' ' || (c >= '\t' && c <= '\r');
    words += !space && !inside;
    inside = !space;
  }
  return words;
}

// Whether a cell may be the name of a column.
bool is_name(std::string_view cell) {
  const std::string_view s = trimmed(cell);
  if (s.empty() || s.size() > 100 || s.find_first_of("\r\n") != std::string_view::npos) return false;
  if (typed(kind_of(s))) return false;
  return words_in(s) <= 5 && s.back() != '.' && s.back() != '!' && s.back() != ',';
}

bool is_question(std::string_view cell) {
  const std::string_view s = trimmed(cell);
  return !s.empty() && (s.back() == '?' || s.back() == ':');
}

// A sentence rather than a name.
bool is_sentence(std::string_view cell) {
  return (words_in(cell) >= 5 || (words_in(cell) < 3 && cell.size() > 40)) && reads_like_prose(cell) &&
         !is_question(cell);
}

// A row has `fields`, or one more that is empty: some programs end each row with a delimiter.
bool has_fields(const Row& row, Index fields) {
  const Index n = row.cells.size();
  return n == fields || (n == fields + 1 && row.cells.back().value.empty() && !row.cells.back().quoted);
}

// How many fields most rows have; of equal numbers the larger. A last field that is empty in all of them
// counts not.
Index usual_fields(const std::vector<Row>& rows) {
  std::map<Index, Index> counts;
  for (const Row& row : rows) ++counts[row.cells.size()];
  Index best = 0, most = 0;
  for (const auto& [fields, times] : counts) {
    if (times < most) continue;
    best = fields;
    most = times;
  }
  const auto ends_empty = [&](const Row& row) {
    return row.cells.size() != best || (row.cells.back().value.empty() && !row.cells.back().quoted);
  };
  if (best > 1 && std::all_of(rows.begin(), rows.end(), ends_empty)) --best;
  return best;
}

Index filled_cells(const Row& row) {
  return static_cast<Index>(std::count_if(row.cells.begin(), row.cells.end(),
                                          [](const Cell& c) { return !trimmed(c.value).empty(); }));
}

bool all_names(const Row& row, Index fields) {
  std::set<std::string> seen;
  for (Index i = 0; i < std::min(fields, row.cells.size()); ++i) {
    if (!is_name(row.cells[i].value) || !seen.insert(row.cells[i].value).second) return false;
  }
  return row.cells.size() >= fields;
}

// What the rows from `first` on are like, read in one way.
struct Columns {
  Index rows = 0;
  std::vector<Index> numbers, dates, links, filled, quoted, prose;

  Columns(const std::vector<Row>& all, std::size_t first, Index fields)
      : numbers(fields), dates(fields), links(fields), filled(fields), quoted(fields), prose(fields) {
    for (std::size_t r = first; r < all.size(); ++r) {
      if (!has_fields(all[r], fields)) continue;
      ++rows;
      for (Index i = 0; i < fields; ++i) {
        const Cell& cell = all[r].cells[i];
        const Kind kind = kind_of(cell.value);
        numbers[i] += kind == Kind::number;
        dates[i] += kind == Kind::date;
        links[i] += kind == Kind::link;
        filled[i] += kind != Kind::empty;
        quoted[i] += cell.quoted;
        prose[i] += reads_like_prose(cell.value);
      }
    }
  }

  // The kind that nine of ten values of a column have; text if none.
  Kind kind(Index i) const {
    const auto most = [&](Index count) { return filled[i] > 0 && 10 * count >= 9 * filled[i]; };
    if (filled[i] == 0) return Kind::empty;
    return most(numbers[i]) ? Kind::number
           : most(dates[i]) ? Kind::date
           : most(links[i]) ? Kind::link
                            : Kind::text;
  }
  bool typed_any() const {
    for (Index i = 0; i < filled.size(); ++i)
      if (typed(kind(i))) return true;
    return false;
  }
};

// Years in a row, as the columns of a table may be called.
bool counts_up(const Row& row) {
  Index numbers = 0;
  long last = 0;
  for (const Cell& cell : row.cells) {
    const std::string_view s = trimmed(cell.value);
    if (s.empty() || s.size() > 4 || !has_only(s, "0123456789")) continue;
    const long value = std::stol(std::string(s));
    if (numbers > 0 && value != last + 1) return false;
    last = value;
    ++numbers;
  }
  return numbers >= 2 && numbers < row.cells.size();
}

bool has_text_name(const Row& row) {
  return std::any_of(row.cells.begin(), row.cells.end(),
                     [](const Cell& c) { return is_text_name(trimmed(c.value)); });
}

// Votes for and against a header in rows[at].
bool is_header(const std::vector<Row>& rows, std::size_t at, Index fields) {
  const Row& first = rows[at];
  const Columns below(rows, at + 1, fields);
  if (below.rows == 0 || has_text_name(first)) return true;
  const bool years = counts_up(first);
  int votes = 0;
  for (Index i = 0; i < std::min(fields, first.cells.size()); ++i) {
    const std::string& cell = first.cells[i].value;
    const Kind kind = kind_of(cell), column = below.kind(i);
    if (kind == Kind::empty || column == Kind::empty) continue;
    if (typed(column)) {
      votes += kind == column ? (years ? 0 : -2) : typed(kind) ? -1 : 2;
      continue;
    }
    const bool prose = 2 * below.prose[i] > below.filled[i];
    if (prose) {
      votes += is_sentence(cell) ? -2 : is_name(cell) ? 1 : 0;
      continue;
    }
    std::set<std::string> values;
    Index same = 0, seen = 0;
    for (std::size_t r = at + 1; r < rows.size(); ++r) {
      if (!has_fields(rows[r], fields) || rows[r].cells[i].value.empty()) continue;
      ++seen;
      same += rows[r].cells[i].value == cell;
      values.insert(rows[r].cells[i].value);
    }
    if (same > 0 && seen >= 3 && 2 * values.size() <= seen + 1) votes -= 2;
  }
  return votes >= 0;
}

// A way to read the table, and what speaks for it.
struct Reading {
  CsvLayout layout;
  Sample sample;
  Index fields = 0;
  std::size_t first = 0;  // row: the header, or the first one of values
  double alike = 0;       // share of the rows, from there on, that have as many fields
  double stray = 0;       // fields behind whose closing quote text follows, for each row
  bool spaced = false;    // spaces follow most of the commas or semicolons
  double score = 0;
};

bool is_spaced(const Reading& r) {
  const char d = r.layout.dialect.delimiter;
  if ((d != ',' && d != ';') || r.layout.dialect.skip_space) return false;
  Index cells = 0, spaced = 0;
  for (const Row& row : r.sample.rows) {
    for (std::size_t i = 1; i < row.cells.size(); ++i) {
      if (row.cells[i].value.empty()) continue;
      ++cells;
      spaced += row.cells[i].value.front() == ' ';
    }
  }
  return 2 * spaced > cells;
}

double share_alike(const std::vector<Row>& rows, std::size_t first, Index fields) {
  const auto alike = std::count_if(rows.begin() + static_cast<std::ptrdiff_t>(first), rows.end(),
                                   [&](const Row& row) { return has_fields(row, fields); });
  return static_cast<double>(alike) / static_cast<double>(rows.size() - first);
}

// Where the table begins below lines of titles: at a row of names with rows alike below it.
std::size_t below_titles(const Reading& r) {
  const std::vector<Row>& rows = r.sample.rows;
  std::size_t at = 0;
  const auto is_title = [&](const Row& row) {
    return !has_fields(row, r.fields) || (r.fields >= 3 && filled_cells(row) <= 1);
  };
  while (at < rows.size() && at <= kMostTitles && is_title(rows[at])) ++at;
  if (at == 0 || at > kMostTitles || at + 2 >= rows.size() || !all_names(rows[at], r.fields)) return 0;
  const Columns below(rows, at + 1, r.fields);
  const bool quoted = std::any_of(below.quoted.begin(), below.quoted.end(), [](Index n) { return n > 0; });
  const bool sure = below.typed_any() || quoted || r.fields >= 3 || has_text_name(rows[at]);
  return sure && !is_spaced(r) && share_alike(rows, at, r.fields) >= 0.95 ? at : 0;
}

// Whether the header has one name less than the rows have fields, since the first column numbers the rows.
bool lacks_first_name(const Reading& r) {
  const std::vector<Row>& rows = r.sample.rows;
  if (r.fields < 2 || rows.size() < 3 || rows[0].cells.size() + 1 != r.fields) return false;
  if (!all_names(rows[0], r.fields - 1) || share_alike(rows, 1, r.fields) < 0.95) return false;
  std::set<std::string> seen;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const Cell& cell = rows[i].cells[0];
    if (kind_of(cell.value) != Kind::number && !cell.quoted) return false;
    if (!seen.insert(cell.value).second || rows[i].cells.back().value.empty()) return false;
  }
  return true;
}

Reading read_as(std::string_view head, bool whole, CsvDialect dialect, Index skipped) {
  Reading r;
  r.layout.dialect = dialect;
  r.layout.skipped = skipped;
  r.sample = read_rows(head, whole, dialect);
  if (r.sample.rows.empty()) return r;
  const auto spaces = [](const Row& row) {
    return row.cells.size() > 1 && std::all_of(row.cells.begin() + 1, row.cells.end(),
                                               [](const Cell& c) { return c.value.starts_with(' '); });
  };
  if (spaces(r.sample.rows[0])) {
    r.layout.dialect.skip_space = true;
    r.sample = read_rows(head, whole, r.layout.dialect);
  }
  r.fields = usual_fields(r.sample.rows);
  if (dialect.backslash) {  // again, with the number of fields that a row should come to
    const Index raw = std::max(r.fields, r.sample.rows[0].cells.size());
    r.sample = read_rows(head, whole, r.layout.dialect, raw);
    if (r.sample.rows.empty()) return r;
    r.fields = usual_fields(r.sample.rows);
  }
  r.spaced = is_spaced(r);
  const std::vector<Row>& rows = r.sample.rows;
  r.layout.unnamed_first = lacks_first_name(r);
  if (!r.layout.unnamed_first) r.first = below_titles(r);
  r.alike = share_alike(rows, r.first + (r.layout.unnamed_first ? 1 : 0), r.fields);
  Index stray = 0;
  for (const Row& row : rows) stray += row.stray;
  r.stray = static_cast<double>(stray) / static_cast<double>(rows.size());
  return r;
}

// Whether ' is there to quote: around a column's values, and " hardly ever.
bool has_single_quotes(const Reading& r, const Sample& with_double) {
  Index doubles = 0;
  for (const Row& row : with_double.rows)
    doubles += std::any_of(row.cells.begin(), row.cells.end(), [](const Cell& c) { return c.quoted; });
  if (10 * doubles > with_double.rows.size()) return false;
  const Columns columns(r.sample.rows, r.first, r.fields);
  if (columns.rows < 2 || r.stray > 0 || r.sample.unclosed) return false;
  for (Index i = 0; i < r.fields; ++i)
    if (columns.filled[i] > 1 && 10 * (columns.quoted[i] + 1) >= 9 * columns.filled[i]) return true;
  return false;
}

double score_of(const Reading& r, char by_header) {
  if (r.fields < 2) return 0;
  const CsvDialect& d = r.layout.dialect;
  const Columns columns(r.sample.rows, r.first + 1, r.fields);
  int kinds = 0;
  for (Index i = 0; i < r.fields; ++i) kinds += typed(columns.kind(i));
  double score = r.alike - r.stray + 0.05 * std::min(kinds, 2) +
                 0.002 * static_cast<double>(std::min<Index>(r.fields, 20));
  if (d.delimiter == by_header) score += 0.1;
  if (r.spaced) score -= 0.3;
  if (r.first > 0) score -= 0.02;
  if (r.layout.unnamed_first) score -= 0.02;
  if (r.sample.unclosed) score -= 0.3;
  return score;
}

bool writes_pairs(std::string_view head) {
  bool pair = false;
  for (std::size_t i = 0; i + 1 < head.size(); ++i) {
    if (head[i] != '\\') continue;
    if (head[i + 1] != '\\' && head[i + 1] != '"' && head[i + 1] != '\'') return false;
    pair |= head[i + 1] == '\\';
    ++i;
  }
  return pair;
}

// "sep=;" on the first line, which Excel obeys and does not show.
std::optional<char> named_delimiter(std::string_view head) {
  const std::string_view line = head.substr(0, head.find_first_of("\r\n"));
  if (line.size() != 5 || !line.starts_with("sep=") || line[4] == '"') return std::nullopt;
  return line[4];
}

std::string_view without_lines(std::string_view head, Index lines) {
  for (; lines > 0 && !head.empty(); --lines) {
    const std::size_t end = head.find_first_of("\r\n");
    if (end == std::string_view::npos) return {};
    head.remove_prefix(end + (head.substr(end).starts_with("\r\n") ? 2 : 1));
  }
  return head;
}

std::vector<CsvDialect> dialects_of(char delimiter, std::string_view head, const CsvHints& hints) {
  std::vector<char> quotes{'"'};
  if (hints.quote) {
    quotes = {*hints.quote};
  } else {
    const auto begins_field = [&](char before) {
      return head.find(std::string{before, '\''}) != std::string_view::npos;
    };
    if (begins_field(delimiter) || begins_field('\n') || head.starts_with('\'')) quotes.push_back('\'');
    if ((delimiter == '\t' || delimiter == '|') && head.find('"') != std::string_view::npos)
      quotes.push_back('\0');
  }
  std::vector<CsvDialect> out;
  for (const char quote : quotes) {
    const bool slashes = quote != 0 && head.find(std::string{'\\', quote}) != std::string_view::npos;
    for (const bool backslash : {false, true}) {
      if (hints.backslash ? backslash != (*hints.backslash && quote != 0) : backslash && !slashes) continue;
      out.push_back({delimiter, false, quote, backslash, backslash && writes_pairs(head)});
    }
  }
  return out;
}

// The rows' record at the head, as one dialect reads it.
std::string_view first_record(std::string_view head, bool whole) {
  std::vector<CsvField> fields;
  for (;;) {
    const CsvScan found = scan_csv(head, whole, {}, fields);
    if (found.end != CsvEnd::complete || found.length == 0) return head.substr(0, head.find_first_of("\r\n"));
    if (!fields.empty()) return head.substr(0, found.length);
    head.remove_prefix(found.length);
  }
}

Table sureness(const Reading& r) {
  const std::vector<Row>& rows = r.sample.rows;
  if (rows.empty()) return Table::no;
  const bool header = r.layout.header;
  const Row& first = rows[r.first];
  const Columns below(rows, r.first + (header ? 1 : 0), r.fields);
  const bool quoted = std::any_of(below.quoted.begin(), below.quoted.end(), [](Index n) { return n > 0; });
  const bool names = header && all_names(first, r.layout.unnamed_first ? r.fields - 1 : r.fields);
  const bool text_name = header && has_text_name(first);
  if (r.fields < 2) {  // one column: a text's name, and prose below
    return text_name && below.rows >= 2 && 2 * below.prose[0] >= below.rows && r.stray == 0 &&
                   !r.sample.unclosed
               ? Table::likely
               : Table::no;
  }
  if (r.alike < 0.9 || r.stray > 0.1 || below.rows == 0 || r.sample.unclosed) return Table::no;
  const Table enough = below.rows >= 2 ? Table::certain : Table::likely;
  bool typed_column = below.typed_any(), prose_column = false;
  for (Index i = 0; i < r.fields; ++i) prose_column |= 2 * below.prose[i] > below.filled[i];
  const char d = r.layout.dialect.delimiter;
  if (d == '\t' || d == '|') return 2 * below.filled[0] >= below.rows ? enough : Table::no;
  if (r.spaced && !typed_column && !quoted) return Table::no;
  if (header) {
    const bool telling = typed_column || quoted || text_name || (prose_column && below.rows >= 3);
    return names && telling ? enough : Table::no;
  }
  const bool telling = typed_column && (r.fields >= 3 || quoted);
  return telling && below.rows >= 3 ? Table::certain : Table::no;
}

}  // namespace

FoundLayout find_layout(std::string_view head, bool whole, const CsvHints& hints) {
  if (head.size() > kLayoutBytes) {
    head = head.substr(0, kLayoutBytes);
    whole = false;
  }
  CsvHints known = hints;
  Index skipped = known.skipped.value_or(0);
  head = without_lines(head, skipped);
  bool named = false;
  if (const auto delimiter = named_delimiter(head); delimiter && !known.delimiter && !known.skipped) {
    known.delimiter = delimiter;
    named = true;
    head = without_lines(head, 1);
    skipped = 1;
  }
  const std::string_view first_line = first_record(head, whole);
  const CsvDialect by_header = sniff_csv(first_line);
  const bool usual_there = known.usual != ',' && first_line.find(known.usual) != std::string_view::npos;
  const char favoured = usual_there ? known.usual : by_header.delimiter;
  std::string delimiters(kDelimiters);
  if (known.delimiter) {
    delimiters = *known.delimiter;
  } else {
    std::erase(delimiters, known.usual);
    delimiters.insert(delimiters.begin(), known.usual);
  }
  Reading best;
  for (const char delimiter : delimiters) {
    if (head.find(delimiter) == std::string_view::npos && !known.delimiter) continue;
    Sample with_double;
    for (const CsvDialect& dialect : dialects_of(delimiter, head, known)) {
      Reading r = read_as(head, whole, dialect, skipped);
      if (r.sample.rows.empty()) continue;
      if (known.skipped) r.first = 0;
      r.score = score_of(r, favoured);
      if (dialect.quote == '"' && !dialect.backslash) with_double = r.sample;
      if (dialect.quote == '\'' && !known.quote) r.score += has_single_quotes(r, with_double) ? 0.05 : -0.5;
      if (dialect.quote == 0) r.score -= 0.02;
      if (best.sample.rows.empty() || r.score > best.score + 1e-9) best = std::move(r);
    }
  }
  const bool convincing = best.fields >= 2 && best.alike >= 0.8 && best.score > 0.6;
  if (!convincing || best.sample.rows.empty()) {
    CsvDialect dialect = by_header;
    if (known.delimiter) dialect.delimiter = *known.delimiter;
    if (known.usual == '\t' && !known.delimiter) dialect = {'\t', false};
    // The best dialect's quotes are better than none tried, if it has the same delimiter.
    std::vector<CsvDialect> ways = dialects_of(dialect.delimiter, head, known);
    const bool skip_space = dialect.skip_space;
    Reading chosen;
    for (CsvDialect way : ways) {
      if (way.quote != '"' && !known.quote) continue;
      way.skip_space = skip_space;
      Reading r = read_as(head, whole, way, skipped);
      r.first = 0;
      r.layout.unnamed_first = false;
      if (!chosen.sample.rows.empty() && r.stray >= chosen.stray) continue;
      chosen = std::move(r);
    }
    best = std::move(chosen);
    if (!best.sample.rows.empty()) best.fields = best.sample.rows[0].cells.size();
  }
  FoundLayout out;
  const std::vector<Row>& rows = best.sample.rows;
  if (rows.empty()) {
    out.layout.dialect = by_header;
    if (known.delimiter) out.layout.dialect.delimiter = *known.delimiter;
    if (known.quote) out.layout.dialect.quote = *known.quote;
    out.layout.skipped = skipped;
    out.layout.header = known.header.value_or(true);
    return out;
  }
  best.layout.header =
      known.header.value_or(best.layout.unnamed_first || is_header(rows, best.first, best.fields));
  if (!best.layout.header) best.layout.unnamed_first = false;
  if (!known.skipped) best.layout.skipped = best.first > 0 ? skipped + rows[best.first].line : skipped;
  const Row& header = rows[best.first];
  best.layout.trailing = header.cells.size() == best.fields + 1 && header.cells.back().value.empty();
  out.table = convincing || best.fields < 2 ? sureness(best) : Table::no;
  if (named) out.table = Table::certain;
  if (out.table == Table::no && best.layout.header && rows.size() > 1 && header.cells.size() > 1 &&
      has_text_name(header))
    out.table = Table::likely;
  out.layout = best.layout;
  return out;
}

}  // namespace shoal
