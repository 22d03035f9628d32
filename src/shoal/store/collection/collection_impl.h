#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "shoal/store/collection/collection.h"
#include "shoal/store/collection/database_impl.h"
#include "shoal/store/files/descriptor_impl.h"

namespace shoal {

inline constexpr const char* kDatabaseFile = "rows.sqlite";
inline constexpr const char* kDatabasePart = ".rows.sqlite.part";  ///< a new one in the making

/// A column of the user: its name in the input, and the name of the column of table `rows` that holds it.
struct ColumnName {
  std::string name, stored_as;
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
  Texts values(const std::string& stored_as, Index first, Index count) const;
};

/// The names under which `names` are stored: cut, made unique without regard to case, and none of shoal's
/// own.
std::vector<ColumnName> stored_columns(const std::vector<std::string>& names);
std::string sql_name(const std::string& name);  ///< in double quotes

/// Makes an empty database at `path`, all tables but the full-text index, in one fixed order of statements.
/// It is not safe against a crash until `finish_database`.
Database new_database(const std::filesystem::path& path, const std::vector<ColumnName>& columns);
/// Syncs the finished file `part` and gives it the name `path`.
void finish_database(const std::filesystem::path& part, const std::filesystem::path& path);
std::string rows_table(const std::vector<ColumnName>& columns);  ///< CREATE TABLE

}  // namespace shoal
