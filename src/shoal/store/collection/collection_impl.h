#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "shoal/store/archive/archive.h"
#include "shoal/store/collection/collection.h"
#include "shoal/store/collection/database_impl.h"
#include "shoal/store/files/descriptor_impl.h"

namespace shoal {

inline constexpr int kFormatVersion = 2;
inline constexpr int kOwnColumnCount = 5;  ///< of table `rows`: id, text, cluster, x, y
inline constexpr const char* kDatabaseFile = "rows.sqlite";
inline constexpr const char* kDatabasePart = ".rows.sqlite.part";  ///< a new one in the making
/// Its checksum, as sha256sum writes it. There only while the database is as settle() left it.
inline constexpr const char* kDatabaseSum = "rows.sqlite.sha256";
inline std::string sum_line(const std::filesystem::path& database) {
  return sha256_file(database) + "  " + kDatabaseFile + "\n";
}

/// A column of the user: its name in the input, and the name of the column of table `rows` that holds it.
struct ColumnName {
  std::string name, stored_as;
};

/// A result and the columns of table `rows` that hold it.
struct StoredResult {
  Result result;
  std::vector<std::string> stored_as;
};

/// The columns of table `rows`.
struct RowColumns {
  std::vector<ColumnName> user;
  std::vector<StoredResult> results;
};

struct Collection::State {
  std::filesystem::path folder;
  Descriptor lock;  ///< on the folder, while it is open for writing
  Database database;
  bool read_only = false;
  bool settled = false;

  void connect();
  /// Refuses on a read-only collection; marks a settled one as changed, inside the transaction of the caller.
  void changing();
  Index rows() const;
  void check_range(Index first, Index count) const;
  std::vector<ColumnName> column_names() const;
  RowColumns columns() const;
  /// Reads columns of rows [first, first + count) in order; Error(format) if one is missing.
  void each_row(const std::vector<std::string>& stored_as, Index first, Index count,
                const std::function<void(const Statement&)>& take) const;
  Texts values(const std::string& stored_as, Index first, Index count) const;
  bool has_kinds() const;  ///< there is a table of them
  Texts kinds(Index first, Index count) const;
  void add_kinds(Index first, Index count, Index columns, const Texts& kinds);

  std::vector<StoredResult> results() const;
  std::optional<StoredResult> find_result(std::string_view name) const;
  /// The result `name`, if `labels` agrees with its kind.
  StoredResult needed_result(std::string_view name, bool labels) const;
  /// Collection::labels, or labels_so_far.
  Labels labels(std::string_view name, bool so_far) const;
  /// Makes the columns of a result, or takes those that it has, and fills them in one pass.
  void store(const Result& result, const std::vector<SqlFunction::Value>& values);
  void drop(const StoredResult& old);
  void drop_clusters(std::string_view clustering);
};

/// The names under which `names` are stored: cut, made unique without regard to case, and none of shoal's
/// own.
std::vector<ColumnName> stored_columns(const std::vector<std::string>& names);
/// The same of a result that is to stand beside `others`.
std::vector<std::string> stored_result(const Result& result, const RowColumns& others);
/// Whether the columns belong to every collection: cluster, x and y.
bool is_main(std::string_view result);
std::string sql_name(const std::string& name);  ///< in double quotes
std::string sql_names(const std::vector<std::string>& names);

/// Makes an empty database at `path`, all tables but the full-text index, in one fixed order of statements,
/// with the permissions of `like` if that is there. It is not safe against a crash until `finish_database`.
Database new_database(const std::filesystem::path& path, const std::filesystem::path& like,
                      const RowColumns& columns);
/// Syncs the finished file `part` and gives it the name `path`.
void finish_database(const std::filesystem::path& part, const std::filesystem::path& path);
std::string rows_table(const RowColumns& columns);  ///< CREATE TABLE

/// Makes the table of kinds where an earlier program has made none.
void make_kinds(Database& database);

/// Makes a database of version 1 one of this version: for this connection only, or in the file.
void show_as_new(Database& database);
void migrate(Database& database);

}  // namespace shoal
