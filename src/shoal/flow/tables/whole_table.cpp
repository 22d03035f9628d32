#include "shoal/flow/tables/whole_table.h"

#include <algorithm>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/read/columns.h"
#include "shoal/read/input.h"

namespace shoal {
namespace {

constexpr Index kBatch = 8192;

std::string lower(std::string_view s) {
  std::string out(s);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

std::string called(const std::vector<WantedColumn>& wanted) {
  std::string out;
  for (const WantedColumn& one : wanted) out += (out.empty() ? "" : ", ") + one.called;
  return out;
}

}  // namespace

CellKind WholeTable::kind(Index column, Index row) const {
  return kinds_of_row.empty() ? CellKind::string : static_cast<CellKind>(kinds_of_row[row][column]);
}

std::string WholeTable::where(Index row) const { return file + ", row " + std::to_string(row + 1); }

WholeTable read_whole_table(const std::filesystem::path& file, ReadOptions options, const Run& run) {
  options.text_columns.clear();
  options.first_column = true;
  Source source({file}, std::move(options), run.stop);
  WholeTable out;
  out.file = Input::name_of(file);
  out.names = source.columns();
  out.columns.resize(out.names.size());
  Texts first;
  std::vector<Texts> others;
  const std::string strings(out.names.size(), static_cast<char>(CellKind::string));
  while (source.next(kBatch, first, others)) {
    check_stop(run);
    const Texts& kinds = source.kinds();
    if (kinds.size() > 0) out.kinds_of_row.resize(out.rows, strings);
    for (Index i = 0; i < first.size(); ++i) {
      out.columns[0].add(first[i]);
      for (Index c = 0; c < others.size(); ++c) out.columns[c + 1].add(others[c][i]);
      if (kinds.size() > 0) out.kinds_of_row.emplace_back(i < kinds.size() ? kinds[i] : strings);
    }
    out.rows += first.size();
    if (kinds.size() == 0 && !out.kinds_of_row.empty()) out.kinds_of_row.resize(out.rows, strings);
    if (run.progress)
      run.progress("read", static_cast<double>(source.bytes_read()),
                   static_cast<double>(source.bytes_total().value_or(0)));
  }
  out.read = source.report();
  out.read.blank_texts = out.read.equal_texts = 0;  // no column is more of a text than the others
  out.read.most_equal.clear();
  require(out.rows > 0, Fault::data, out.file + " has no rows");
  return out;
}

std::optional<Index> column_named(const WholeTable& table, const std::vector<std::string>& names) {
  for (const std::string& name : names)
    for (Index c = 0; c < table.names.size(); ++c)
      if (lower(table.names[c]) == name) return c;
  return std::nullopt;
}

std::vector<Index> further_negatives(const WholeTable& table, Index first) {
  std::vector<Index> out;
  for (Index c = 0; c < table.names.size(); ++c) {
    const std::string name = lower(table.names[c]);
    for (const std::string_view prefix : {"negative_", "neg_"}) {
      if (c == first || !name.starts_with(prefix) || name.size() == prefix.size()) continue;
      if (name.find_first_not_of("0123456789", prefix.size()) == std::string::npos) out.push_back(c);
    }
  }
  return out;
}

std::vector<Index> place_columns(const WholeTable& table, const std::vector<WantedColumn>& wanted,
                                 const std::vector<std::string>& given) {
  const auto refuse = [&](const std::string& what) {
    return Error(Fault::argument, table.file + what + "; the columns are " + list_names(table.names),
                 option_name("columns") + " names those of " + called(wanted) + ", in this order");
  };
  std::vector<Index> out;
  if (!given.empty()) {
    if (given.size() != wanted.size())
      throw Error(Fault::argument, option_name("columns") + " has " + std::to_string(given.size()) +
                                       " names; " + std::to_string(wanted.size()) +
                                       " are needed: " + called(wanted));
    for (const std::string& name : given) {
      const auto at = std::ranges::find(table.names, name);
      if (at == table.names.end()) throw refuse(" has no column \"" + name + "\"");
      out.push_back(static_cast<Index>(at - table.names.begin()));
    }
    return out;
  }
  std::string missing;
  bool in_order = table.names.size() == wanted.size();
  for (Index i = 0; i < wanted.size(); ++i) {
    const auto at = column_named(table, wanted[i].names);
    if (at) out.push_back(*at);
    if (at && *at != i) in_order = false;
    if (!at) missing += (missing.empty() ? "" : ", ") + wanted[i].called;
  }
  if (missing.empty()) return out;
  if (!in_order) throw refuse(" has no column for " + missing);
  out.clear();
  for (Index i = 0; i < wanted.size(); ++i) out.push_back(i);
  return out;
}

std::string_view trimmed_text(std::string_view cell) {
  constexpr std::string_view kSpace = " \t\r\n\f\v";
  const auto first = cell.find_first_not_of(kSpace);
  return first == cell.npos ? std::string_view()
                            : cell.substr(first, cell.find_last_not_of(kSpace) - first + 1);
}

std::optional<bool> yes_or_no(std::string_view cell) {
  const std::string s = lower(trimmed_text(cell));
  for (const char* yes : {"1", "1.0", "+1", "yes", "true", "accepted", "y"})
    if (s == yes) return true;
  for (const char* no : {"0", "0.0", "-1", "no", "false", "rejected", "n"})
    if (s == no) return false;
  return std::nullopt;
}

}  // namespace shoal
