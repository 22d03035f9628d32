#include <fcntl.h>

#include <algorithm>
#include <limits>
#include <system_error>

#include "shoal/core/error.h"
#include "shoal/store/archive/archive.h"
#include "shoal/store/collection/collection_impl.h"

namespace shoal {
namespace {

constexpr const char* kIndexTable =
    "CREATE VIRTUAL TABLE texts USING fts5(text, content='rows', content_rowid='id',"
    " tokenize='unicode61 remove_diacritics 2')";
/// For texts that are parted into words already: marks belong to them, and so do the signs of c++, c# and
/// .net.
constexpr const char* kIndexOfWords =
    "CREATE VIRTUAL TABLE texts USING fts5(text, content='rows', content_rowid='id',"
    " tokenize=\"unicode61 remove_diacritics 2 categories 'L* M* N* Co' tokenchars '+#.'\")";

/// True if the database has an index of texts that were parted into words.
bool is_of_words(const Database& database) {
  Statement made(database, "SELECT sql LIKE '%tokenchars%' FROM sqlite_master WHERE name = 'texts'");
  return made.step() && made.integer(0) != 0;
}

/// Fills the index with the texts as `form` gives them.
void index_words(Database& database, const IndexWords& words) {
  database.run(kIndexOfWords);
  database.run("INSERT INTO texts(texts, rank) VALUES('hashsize', 67108864)");
  Statement each(database, "SELECT id, text FROM rows ORDER BY id");
  Statement add(database, "INSERT INTO texts(rowid, text) VALUES(?, ?)");
  while (each.step()) add.bind(1, each.integer(0)).bind(2, words.form(each.text(1))).run();
  database.run("INSERT INTO texts(texts) VALUES('optimize')");
}

/// Each stretch between blanks in double quotes, which makes FTS5 take it as it is: quotes, operators and
/// all. Stretches side by side must all occur; those without a letter or digit are ignored.
std::string literal_query(std::string_view words) {
  std::string out;
  bool inside = false;
  for (const char c : words) {
    const bool blank = static_cast<unsigned char>(c) <= 0x20;
    if (blank == inside) out += inside ? "\" " : "\"";
    inside = !blank;
    if (!blank) out += c == '"' ? "\"\"" : std::string(1, c);
  }
  return inside ? out + '"' : out;
}

}  // namespace

std::vector<Index> Collection::find_words(std::string_view query, Index n, const IndexWords& words) const {
  const State& s = *state_;
  Statement indexed(s.database, "SELECT 1 FROM sqlite_master WHERE name = 'texts'");
  if (!indexed.step()) {
    throw Error(Fault::data, s.folder.string() + " has no index of words yet; run 'shoal map' to the end");
  }
  std::vector<Index> out;
  const bool by_words = words.query && is_of_words(s.database);
  const std::string literal = by_words ? words.query(query) : literal_query(query);
  if (literal.empty()) return out;
  Statement each(s.database,
                 "SELECT rowid FROM texts WHERE texts MATCH ? ORDER BY bm25(texts), rowid LIMIT ?");
  constexpr auto kMost = static_cast<Index>(std::numeric_limits<std::int64_t>::max());
  each.bind(1, literal).bind(2, static_cast<std::int64_t>(std::min(n, kMost)));
  while (each.step()) out.push_back(static_cast<Index>(each.integer(0)));
  return out;
}

void Collection::settle(const IndexWords& words) {
  State& s = *state_;
  require(!s.read_only, Fault::argument, "the collection was opened read-only");
  if (s.settled && (!words.form || is_of_words(s.database))) return;
  if (s.database.number("PRAGMA user_version") == 1)  // until the new one is there, no checksum holds
    s.database.run("PRAGMA user_version=0");
  const auto part = s.folder / kDatabasePart, path = s.folder / kDatabaseFile;
  try {
    // Built from nothing by the same statements each time, so that no trace of the old file's history is
    // left.
    const RowColumns columns = s.columns();
    std::vector<std::string> of_rows{"id", "text"};
    for (const ColumnName& c : columns.user) of_rows.push_back(c.stored_as);
    of_rows.insert(of_rows.end(), {"cluster", "x", "y"});
    for (const StoredResult& r : columns.results)
      if (!is_main(r.result.name)) of_rows.insert(of_rows.end(), r.stored_as.begin(), r.stored_as.end());
    Database fresh = new_database(part, path, columns);
    Statement(fresh, "ATTACH ? AS old").bind(1, std::filesystem::absolute(path).string()).run();
    fresh.run("BEGIN; INSERT INTO main.rows SELECT " + sql_names(of_rows) + " FROM old.rows");
    for (const std::string table : {"columns", "results", "clusters", "groups", "manifest", "steps"}) {
      fresh.run("INSERT INTO main." + table + " SELECT * FROM old." + table);
    }
    if (s.has_kinds()) fresh.run("INSERT INTO main.kinds SELECT * FROM old.kinds");
    if (words.form) {
      index_words(fresh, words);
    } else {
      fresh.run(kIndexTable);
      fresh.run(
          "INSERT INTO texts(texts, rank) VALUES('hashsize', 67108864); INSERT INTO texts(texts) "
          "VALUES('rebuild'); INSERT INTO texts(texts) VALUES('optimize')");
    }
    fresh.run("PRAGMA user_version=1");
    fresh.run("COMMIT");
    fresh.run("DETACH old");
    fresh.close();
    finish_database(part, path);
    write_file(s.folder / kDatabaseSum, sum_line(path));  // last, so that it never stands beside another
    take_permissions(open_regular(s.folder / kDatabaseSum, O_RDONLY), path);
  } catch (...) {
    std::error_code ignored;
    std::filesystem::remove(part, ignored);
    throw;
  }
  s.database.close();
  s.connect();
}

}  // namespace shoal
