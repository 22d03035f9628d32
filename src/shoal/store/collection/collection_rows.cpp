#include <algorithm>

#include "shoal/core/cell_kind.h"
#include "shoal/core/error.h"
#include "shoal/store/archive/safetensors_impl.h"
#include "shoal/store/collection/collection_impl.h"

namespace shoal {
namespace {

std::string insert_row(const std::vector<ColumnName>& columns) {
  std::string names = "id, text", places = "?, ?";
  for (const ColumnName& c : columns) {
    names += ", " + sql_name(c.stored_as);
    places += ", ?";
  }
  return "INSERT INTO rows(" + names + ") VALUES(" + places + ")";
}

void check_append(const Texts& texts, const std::vector<Texts>& columns, std::size_t defined) {
  if (columns.size() != defined) {
    throw Error(Fault::argument, std::to_string(columns.size()) + " columns were given, but " +
                                     std::to_string(defined) + " are defined");
  }
  for (std::size_t c = 0; c < columns.size(); ++c) {
    if (columns[c].size() == texts.size()) continue;
    throw Error(Fault::argument, "column " + std::to_string(c) + " has " + std::to_string(columns[c].size()) +
                                     " values for " + std::to_string(texts.size()) + " texts");
  }
}

}  // namespace

Index Collection::State::rows() const {
  Statement count(database, "SELECT coalesce(max(id) + 1, 0) FROM rows");
  count.step();
  return static_cast<Index>(std::max<std::int64_t>(0, count.integer(0)));
}

void Collection::State::check_range(Index first, Index count) const {
  const Index all = rows();
  if (first > all || count > all - first) {
    throw Error(Fault::argument, "rows " + std::to_string(first) + " to " + std::to_string(first + count) +
                                     " of " + folder.string() + " were asked for; it has " +
                                     std::to_string(all));
  }
}

std::vector<ColumnName> Collection::State::column_names() const {
  std::vector<ColumnName> out;
  Statement each(database, "SELECT name, stored_as FROM columns ORDER BY position");
  while (each.step()) out.push_back({std::string(each.text(0)), std::string(each.text(1))});
  return out;
}

bool Collection::State::has_kinds() const {
  Statement table(database, "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'kinds'");
  return table.step();
}

// Nothing where all cells are strings.
Texts Collection::State::kinds(Index first, Index count) const {
  Texts out;
  if (count == 0 || !has_kinds()) return out;
  Statement each(
      database,
      "SELECT first, kinds FROM kinds WHERE first < ? AND first >= (SELECT coalesce(max(first), 0) FROM "
      "kinds WHERE first <= ?) ORDER BY first");
  each.bind(1, static_cast<std::int64_t>(first + count)).bind(2, static_cast<std::int64_t>(first));
  const std::string strings(1 + column_names().size(), static_cast<char>(CellKind::string));
  std::string now = strings;
  while (each.step()) {
    const auto begin = static_cast<Index>(std::max<std::int64_t>(0, each.integer(0)));
    while (first + out.size() < begin) out.add(now);
    now = each.text(1);
    if (now.size() != strings.size())
      throw damaged_collection(folder, "the kinds of row " + std::to_string(begin) + " are not one a column");
  }
  if (out.size() == 0 && now == strings) return out;
  while (out.size() < count) out.add(now);
  return out;
}

// Rows whose cells are of the same kinds as those before share one entry.
void Collection::State::add_kinds(Index first, Index count, Index columns, const Texts& kinds) {
  const std::string strings(1 + columns, static_cast<char>(CellKind::string));
  require(kinds.size() == 0 || kinds.size() == count, Fault::argument,
          std::to_string(kinds.size()) + " kinds of cells were given for " + std::to_string(count) + " rows");
  if (count == 0) return;
  make_kinds(database);
  std::string now = strings;
  if (Statement last(database, "SELECT kinds FROM kinds ORDER BY first DESC LIMIT 1"); last.step())
    now = last.text(0);
  Statement add(database, "INSERT INTO kinds VALUES(?, ?)");
  for (Index i = 0; i < (kinds.size() == 0 ? Index{1} : count); ++i) {
    const std::string_view here = kinds.size() == 0 ? std::string_view(strings) : kinds[i];
    require(here.size() == strings.size(), Fault::argument, "the kinds of cells are not one a column");
    if (here == now) continue;
    now = here;
    add.bind(1, static_cast<std::int64_t>(first + i)).bind(2, now).run();
  }
}

RowColumns Collection::State::columns() const { return {column_names(), results()}; }

void Collection::State::each_row(const std::vector<std::string>& stored_as, Index first, Index count,
                                 const std::function<void(const Statement&)>& take) const {
  check_range(first, count);
  Statement each(database, "SELECT " + sql_names(stored_as) + " FROM rows WHERE id >= ? ORDER BY id LIMIT ?");
  each.bind(1, static_cast<std::int64_t>(first)).bind(2, static_cast<std::int64_t>(count));
  Index rows = 0;
  for (; each.step(); ++rows) take(each);
  if (rows != count) throw damaged_collection(folder, "rows are missing after row " + std::to_string(first));
}

Texts Collection::State::values(const std::string& stored_as, Index first, Index count) const {
  Texts out;
  each_row({stored_as}, first, count, [&](const Statement& row) { out.add(row.text(0)); });
  return out;
}

void Collection::define_columns(const std::vector<std::string>& names) {
  if (columns() == names) return;
  State& s = *state_;
  const auto most = static_cast<std::size_t>(s.database.most_columns() - kOwnColumnCount);
  if (names.size() > most) {
    throw Error(Fault::data, "the input has " + std::to_string(names.size()) +
                                 " columns beside the text; at most " + std::to_string(most) +
                                 " can be kept: leave some out");
  }
  require(rows() == 0, Fault::argument, "columns must be defined before the first row is added");
  const std::vector<ColumnName> columns = stored_columns(names);
  Transaction transaction(s.database);
  s.changing();
  s.database.run(
      "DROP TABLE IF EXISTS texts; DROP TABLE rows; DROP TABLE IF EXISTS kinds; DELETE FROM columns; DELETE "
      "FROM results;" +
      rows_table({columns, {}}));
  Statement add(s.database, "INSERT INTO columns VALUES(?, ?, ?)");
  for (std::size_t c = 0; c < columns.size(); ++c) {
    add.bind(1, static_cast<std::int64_t>(c)).bind(2, columns[c].name).bind(3, columns[c].stored_as).run();
  }
  transaction.commit();
}

std::vector<std::string> Collection::columns() const {
  std::vector<std::string> out;
  for (ColumnName& c : state_->column_names()) out.push_back(std::move(c.name));
  return out;
}

void Collection::append(const Texts& texts, const std::vector<Texts>& columns,
                        const std::vector<std::pair<std::string, std::string>>& facts, const Texts& kinds) {
  State& s = *state_;
  const std::vector<ColumnName> names = s.column_names();
  check_append(texts, columns, names.size());
  Transaction transaction(s.database);
  s.changing();
  s.database.run("DROP TABLE IF EXISTS texts");  // no index is better than one that lacks the new rows
  const Index first = s.rows();
  Statement add(s.database, insert_row(names));
  for (Index row = 0; row < texts.size(); ++row) {
    add.bind(1, static_cast<std::int64_t>(first + row)).bind(2, texts[row]);
    for (std::size_t c = 0; c < columns.size(); ++c) add.bind(static_cast<int>(c) + 3, columns[c][row]);
    add.run();
  }
  s.add_kinds(first, texts.size(), columns.size(), kinds);
  Statement note(s.database, "INSERT OR REPLACE INTO manifest VALUES(?, ?)");
  for (const auto& [key, value] : facts) note.bind(1, key).bind(2, value).run();
  transaction.commit();
}

Index Collection::rows() const { return state_->rows(); }
Texts Collection::texts(Index first, Index count) const { return state_->values("text", first, count); }
std::string Collection::text(Index row) const {
  const Texts one = texts(row, 1);
  return std::string(one[0]);
}

RowBatch Collection::batch(Index first, Index count) const {
  std::vector<std::string> stored_as{"text"};
  for (ColumnName& c : state_->column_names()) stored_as.push_back(std::move(c.stored_as));
  RowBatch out{.first = first, .columns = std::vector<Texts>(stored_as.size() - 1)};
  state_->each_row(stored_as, first, count, [&](const Statement& row) {
    out.texts.add(row.text(0));
    for (Index c = 0; c < out.columns.size(); ++c) out.columns[c].add(row.text(static_cast<int>(c) + 1));
  });
  out.kinds = state_->kinds(first, count);
  return out;
}

Texts Collection::column(std::string_view name, Index first, Index count) const {
  const std::vector<ColumnName> names = state_->column_names();
  const auto found = std::ranges::find(names, name, &ColumnName::name);
  if (found == names.end()) {
    throw Error(Fault::argument, state_->folder.string() + " has no column " + shown(name));
  }
  return state_->values(found->stored_as, first, count);
}

Texts Collection::column_at(Index position, Index first, Index count) const {
  const std::vector<ColumnName> names = state_->column_names();
  if (position >= names.size()) {
    throw Error(Fault::argument, state_->folder.string() + " has " + std::to_string(names.size()) +
                                     " columns; column " + std::to_string(position) + " was asked for");
  }
  return state_->values(names[position].stored_as, first, count);
}

}  // namespace shoal
