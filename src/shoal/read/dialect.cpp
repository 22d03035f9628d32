#include "shoal/read/dialect.h"

#include <algorithm>
#include <string>
#include <vector>

#include "shoal/read/header_row_impl.h"
#include "shoal/read/sample_columns_impl.h"
#include "shoal/read/sample_rows_impl.h"

namespace shoal {
namespace {

constexpr std::string_view kDelimiters = ",;\t|";

// A way to read the table, and what speaks for it.
struct Reading {
  CsvLayout layout;
  TableSample sample;
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
  for (const SampleRow& row : r.sample.rows) {
    for (std::size_t i = 1; i < row.cells.size(); ++i) {
      if (row.cells[i].value.empty()) continue;
      ++cells;
      spaced += row.cells[i].value.front() == ' ';
    }
  }
  return 2 * spaced > cells;
}

Reading read_as(std::string_view head, bool whole, CsvDialect dialect, Index skipped) {
  Reading r;
  r.layout.dialect = dialect;
  r.layout.skipped = skipped;
  r.sample = read_rows(head, whole, dialect);
  if (r.sample.rows.empty()) return r;
  const auto spaces = [](const SampleRow& row) {
    return row.cells.size() > 1 && std::all_of(row.cells.begin() + 1, row.cells.end(),
                                               [](const SampleCell& c) { return c.value.starts_with(' '); });
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
  const std::vector<SampleRow>& rows = r.sample.rows;
  r.layout.unnamed_first = lacks_first_name(rows, r.fields);
  if (!r.layout.unnamed_first) r.first = below_titles(rows, r.fields, r.spaced);
  r.alike = share_alike(rows, r.first + (r.layout.unnamed_first ? 1 : 0), r.fields);
  Index stray = 0;
  for (const SampleRow& row : rows) stray += row.stray;
  r.stray = static_cast<double>(stray) / static_cast<double>(rows.size());
  return r;
}

// Whether ' is there to quote: around a column's values, and " hardly ever.
bool has_single_quotes(const Reading& r, const TableSample& with_double) {
  Index doubles = 0;
  for (const SampleRow& row : with_double.rows)
    doubles += std::any_of(row.cells.begin(), row.cells.end(), [](const SampleCell& c) { return c.quoted; });
  if (10 * doubles > with_double.rows.size()) return false;
  const SampleColumns columns(r.sample.rows, r.first, r.fields);
  if (columns.rows < 2 || r.stray > 0 || r.sample.unclosed) return false;
  for (Index i = 0; i < r.fields; ++i)
    if (columns.filled[i] > 1 && 10 * (columns.quoted[i] + 1) >= 9 * columns.filled[i]) return true;
  return false;
}

double score_of(const Reading& r, char by_header) {
  if (r.fields < 2) return 0;
  const CsvDialect& d = r.layout.dialect;
  const SampleColumns columns(r.sample.rows, r.first + 1, r.fields);
  int kinds = 0;
  for (Index i = 0; i < r.fields; ++i) kinds += is_typed(columns.kind(i));
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
  const std::vector<SampleRow>& rows = r.sample.rows;
  if (rows.empty()) return Table::no;
  const bool header = r.layout.header;
  const SampleRow& first = rows[r.first];
  const SampleColumns below(rows, r.first + (header ? 1 : 0), r.fields);
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
    TableSample with_double;
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
  const std::vector<SampleRow>& rows = best.sample.rows;
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
  const SampleRow& header = rows[best.first];
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
