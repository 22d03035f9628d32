#include <fcntl.h>

#include <cerrno>
#include <cstdio>
#include <map>
#include <set>
#include <system_error>

#include "shoal/core/error.h"
#include "shoal/core/letters.h"
#include "shoal/store/collection/collection_impl.h"

namespace shoal {
namespace {

constexpr std::size_t kMostNameBytes = 200;  // 2,000 such names still fit one SQL statement

std::string lower(std::string name) {  // SQLite compares the names of columns without regard to ASCII case
  for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return name;
}

std::string storable(const std::string& name) {
  std::string out(beginning_of(name, kMostNameBytes));
  for (char& c : out) c = c == '\0' ? ' ' : c;
  return out.empty() ? "column" : out;
}

const std::set<std::string> kOwnColumns = {"id", "text", "cluster", "x", "y", "rowid", "oid", "_rowid_"};

/// Names without regard to case, so that each is given once.
class Names {
 public:
  explicit Names(std::set<std::string> taken) : taken_(std::move(taken)) {}
  void take(const std::string& name) { taken_.insert(lower(name)); }
  std::string unique(const std::string& name) {
    const std::string plain = storable(name);
    std::string out = plain;
    int& n = last_.try_emplace(lower(plain), 1).first->second;
    while (!taken_.insert(lower(out)).second) out = plain + " (" + std::to_string(++n) + ")";
    return out;
  }

 private:
  std::set<std::string> taken_;
  std::map<std::string, int> last_;  // of each name, so that 2,000 equal ones do not take 2,000,000 tries
};

// A collection of an earlier program may lack it.
constexpr const char* kKindsTable =
    "CREATE TABLE IF NOT EXISTS kinds(first INTEGER PRIMARY KEY, kinds TEXT NOT NULL)";

// In version 2; also what a migration makes.
constexpr const char* kResultTables =
    "CREATE TABLE results(name TEXT PRIMARY KEY, kind TEXT NOT NULL, stage TEXT NOT NULL, options TEXT NOT "
    "NULL, n_clusters INTEGER NOT NULL, parts TEXT NOT NULL, stored_as TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE clusters(clustering TEXT NOT NULL, id INTEGER NOT NULL, name TEXT NOT NULL,"
    " words TEXT NOT NULL, size INTEGER NOT NULL, group_id INTEGER NOT NULL, medoids TEXT NOT NULL,"
    " PRIMARY KEY(clustering, id)) WITHOUT ROWID;"
    "CREATE TABLE groups(clustering TEXT NOT NULL, id INTEGER NOT NULL, name TEXT NOT NULL,"
    " size INTEGER NOT NULL, PRIMARY KEY(clustering, id)) WITHOUT ROWID;";

// The tables of version 2, said of a database of version 1.
constexpr const char* kResultsOfOld =
    "SELECT 'cluster' AS name, 'labels' AS kind, 'cluster' AS stage, '{}' AS options,"
    " CAST(value AS INTEGER) AS n_clusters, '[]' AS parts, '[\"cluster\"]' AS stored_as"
    " FROM main.manifest WHERE key = 'label_count'"
    " UNION ALL SELECT 'map', 'places', 'layout', '{}', 0, '[\"x\",\"y\"]', '[\"x\",\"y\"]'"
    " FROM main.rows WHERE id = 0 AND x IS NOT NULL";

}  // namespace

std::vector<ColumnName> stored_columns(const std::vector<std::string>& names) {
  Names free(kOwnColumns);
  std::vector<ColumnName> out;
  for (const std::string& name : names) out.push_back({name, free.unique(name)});
  return out;
}

bool is_main(std::string_view result) { return result == kMainClustering || result == kMainLayout; }

std::vector<std::string> stored_result(const Result& result, const RowColumns& others) {
  if (result.name == kMainClustering) return {"cluster"};
  if (result.name == kMainLayout) return {"x", "y"};
  Names free(kOwnColumns);
  for (const ColumnName& c : others.user) free.take(c.stored_as);
  for (const StoredResult& r : others.results)
    for (const std::string& c : r.stored_as) free.take(c);
  if (result.parts.empty()) return {free.unique(result.name)};
  std::vector<std::string> out;
  for (const std::string& part : result.parts) out.push_back(free.unique(result.name + " " + part));
  return out;
}

std::string sql_name(const std::string& name) {
  std::string out = "\"";
  for (const char c : name) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + '"';
}

std::string sql_names(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + sql_name(name);
  return out;
}

std::string rows_table(const RowColumns& columns) {
  std::string sql = "CREATE TABLE rows(id INTEGER PRIMARY KEY, text TEXT NOT NULL";
  for (const ColumnName& c : columns.user) sql += ", " + sql_name(c.stored_as) + " TEXT NOT NULL";
  sql += ", cluster INTEGER, x REAL, y REAL";
  for (const StoredResult& r : columns.results) {
    if (is_main(r.result.name)) continue;
    const char* type = r.result.kind == ResultKind::labels ? " INTEGER" : " REAL";
    for (const std::string& column : r.stored_as) sql += ", " + sql_name(column) + type;
  }
  return sql + ")";
}

Database new_database(const std::filesystem::path& path, const std::filesystem::path& like,
                      const RowColumns& columns) {
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
  open_part(path, like);
  Database database(path, Database::Mode::create);
  // No syncs and no journal on disk: until it is renamed into place nobody needs this file.
  database.run(
      "PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF; PRAGMA locking_mode=EXCLUSIVE; PRAGMA "
      "temp_store=MEMORY;"
      "PRAGMA cache_size=-65536; PRAGMA page_size=4096; PRAGMA application_id=0x73686F6C");  // "shol"
  database.run("BEGIN");
  database.run(rows_table(columns));
  database.run(
      "CREATE TABLE columns(position INTEGER PRIMARY KEY, name TEXT NOT NULL, stored_as TEXT NOT NULL)");
  database.run(kResultTables);
  database.run(kKindsTable);
  database.run(
      "CREATE TABLE manifest(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
      "CREATE TABLE steps(name TEXT PRIMARY KEY, key TEXT NOT NULL) WITHOUT ROWID;");
  database.run("COMMIT");
  return database;
}

void show_as_new(Database& database) {
  // Found before the tables of the same names in the file; those of this connection are no danger to it.
  database.run("CREATE TEMP VIEW results AS " + std::string(kResultsOfOld) +
               "; CREATE TEMP VIEW clusters AS SELECT 'cluster' AS clustering, * FROM main.clusters;"
               "CREATE TEMP VIEW groups AS SELECT 'cluster' AS clustering, * FROM main.groups");
}

void make_kinds(Database& database) { database.run(kKindsTable); }

void migrate(Database& database) {
  Transaction transaction(database);
  database.run("ALTER TABLE clusters RENAME TO clusters_of_old; ALTER TABLE groups RENAME TO groups_of_old;" +
               std::string(kResultTables) + "INSERT INTO results " + kResultsOfOld +
               "; INSERT INTO clusters SELECT 'cluster', * FROM clusters_of_old;"
               "INSERT INTO groups SELECT 'cluster', * FROM groups_of_old;"
               "DROP TABLE clusters_of_old; DROP TABLE groups_of_old;"
               "DELETE FROM manifest WHERE key = 'label_count';"
               "UPDATE manifest SET value = '" +
               std::to_string(kFormatVersion) + "' WHERE key = 'format_version'; PRAGMA user_version=0");
  transaction.commit();
}

void finish_database(const std::filesystem::path& part, const std::filesystem::path& path) {
  sync_file(open_regular(part, O_RDWR), part);
  if (std::rename(part.c_str(), path.c_str()) != 0) throw_file_error("write", path, errno);
  sync_folder(folder_of(path));
}

}  // namespace shoal
