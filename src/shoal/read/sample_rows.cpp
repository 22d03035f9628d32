#include "shoal/read/sample_rows_impl.h"

#include <algorithm>
#include <map>

#include "shoal/read/dialect.h"

namespace shoal {
namespace {

Index lines_in(std::string_view text) {
  Index count = 0;
  for (std::size_t i = 0; i < text.size(); ++i)
    count += text[i] == '\n' || (text[i] == '\r' && (i + 1 == text.size() || text[i + 1] != '\n'));
  return count;
}

}  // namespace

TableSample read_rows(std::string_view head, bool whole, const CsvDialect& dialect, Index expected) {
  TableSample out;
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
      SampleRow& row = out.rows.emplace_back();
      row.line = line;
      for (const CsvField& f : fields) {
        SampleCell& cell = row.cells.emplace_back();
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

bool has_fields(const SampleRow& row, Index fields) {
  const Index n = row.cells.size();
  return n == fields || (n == fields + 1 && row.cells.back().value.empty() && !row.cells.back().quoted);
}

Index usual_fields(const std::vector<SampleRow>& rows) {
  std::map<Index, Index> counts;
  for (const SampleRow& row : rows) ++counts[row.cells.size()];
  Index best = 0, most = 0;
  for (const auto& [fields, times] : counts) {
    if (times < most) continue;
    best = fields;
    most = times;
  }
  const auto ends_empty = [&](const SampleRow& row) {
    return row.cells.size() != best || (row.cells.back().value.empty() && !row.cells.back().quoted);
  };
  if (best > 1 && std::all_of(rows.begin(), rows.end(), ends_empty)) --best;
  return best;
}

double share_alike(const std::vector<SampleRow>& rows, std::size_t first, Index fields) {
  const auto alike = std::count_if(rows.begin() + static_cast<std::ptrdiff_t>(first), rows.end(),
                                   [&](const SampleRow& row) { return has_fields(row, fields); });
  return static_cast<double>(alike) / static_cast<double>(rows.size() - first);
}

}  // namespace shoal
