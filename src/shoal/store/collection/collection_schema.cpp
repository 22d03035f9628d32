#include <fcntl.h>

#include <cerrno>
#include <cstdio>
#include <map>
#include <set>
#include <system_error>

#include "shoal/core/error.h"
#include "shoal/store/collection/collection_impl.h"

namespace shoal {
namespace {

constexpr std::size_t kMostNameBytes = 200;  // 2,000 such names still fit one SQL statement

std::string lower(std::string name) {  // SQLite compares the names of columns without regard to ASCII case
  for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return name;
}

std::string storable(const std::string& name) {
  std::string out = name.substr(0, kMostNameBytes);
  while (out.size() < name.size() && !out.empty() && (name[out.size()] & 0xC0) == 0x80) out.pop_back();
  for (char& c : out) c = c == '\0' ? ' ' : c;
  return out.empty() ? "column" : out;
}

}  // namespace

std::vector<ColumnName> stored_columns(const std::vector<std::string>& names) {
  std::set<std::string> taken = {"id", "text", "cluster", "x", "y", "rowid", "oid", "_rowid_"};
  std::map<std::string, int> last;  // of each name, so that 2,000 equal ones do not take 2,000,000 tries
  std::vector<ColumnName> out;
  for (const std::string& name : names) {
    const std::string plain = storable(name);
    std::string unique = plain;
    int& n = last.try_emplace(lower(plain), 1).first->second;
    while (!taken.insert(lower(unique)).second) unique = plain + " (" + std::to_string(++n) + ")";
    out.push_back({name, unique});
  }
  return out;
}

std::string sql_name(const std::string& name) {
  std::string out = "\"";
  for (const char c : name) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + '"';
}

std::string rows_table(const std::vector<ColumnName>& columns) {
  std::string sql = "CREATE TABLE rows(id INTEGER PRIMARY KEY, text TEXT NOT NULL";
  for (const ColumnName& c : columns) sql += ", " + sql_name(c.stored_as) + " TEXT NOT NULL";
  return sql + ", cluster INTEGER, x REAL, y REAL)";
}

Database new_database(const std::filesystem::path& path, const std::vector<ColumnName>& columns) {
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
  Database database(path, Database::Mode::create);
  // No syncs and no journal on disk: until it is renamed into place nobody needs this file.
  database.run(
      "PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF; PRAGMA locking_mode=EXCLUSIVE; PRAGMA "
      "temp_store=MEMORY;"
      "PRAGMA cache_size=-65536; PRAGMA page_size=4096; PRAGMA application_id=0x73686F6C");  // "shol"
  database.run("BEGIN");
  database.run(rows_table(columns));
  database.run(
      "CREATE TABLE columns(position INTEGER PRIMARY KEY, name TEXT NOT NULL, stored_as TEXT NOT NULL);"
      "CREATE TABLE clusters(id INTEGER PRIMARY KEY, name TEXT NOT NULL, words TEXT NOT NULL, size INTEGER "
      "NOT NULL,"
      " group_id INTEGER NOT NULL, medoids TEXT NOT NULL);"
      "CREATE TABLE groups(id INTEGER PRIMARY KEY, name TEXT NOT NULL, size INTEGER NOT NULL);"
      "CREATE TABLE manifest(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
      "CREATE TABLE steps(name TEXT PRIMARY KEY, key TEXT NOT NULL) WITHOUT ROWID;");
  database.run("COMMIT");
  return database;
}

void finish_database(const std::filesystem::path& part, const std::filesystem::path& path) {
  sync_file(open_regular(part, O_RDWR), part);
  if (std::rename(part.c_str(), path.c_str()) != 0) throw_file_error("write", path, errno);
  sync_folder(folder_of(path));
}

}  // namespace shoal
