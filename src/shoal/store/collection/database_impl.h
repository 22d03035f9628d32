#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace shoal {

/// A connection to one SQLite file. Whatever SQLite reports becomes an Error that names the file: a damaged
/// or foreign file is Error(format), a full disk or missing permission Error(file), a text too long
/// Error(data).
class Database {
 public:
  enum class Mode { read, write, create };

  Database() = default;
  Database(const std::filesystem::path& path, Mode mode);
  Database(Database&& other) noexcept;
  Database& operator=(Database&& other) noexcept;
  ~Database();

  void run(const std::string& sql);             ///< one or more statements without results
  std::int64_t number(const std::string& sql);  ///< the first value of the first row; 0 if there is none
  int most_columns() const;                     ///< a table can have
  void close();

  [[noreturn]] void fail(int code) const;
  sqlite3* handle() const { return handle_; }
  const std::filesystem::path& path() const { return path_; }

 private:
  sqlite3* handle_ = nullptr;
  std::filesystem::path path_;
};

/// A prepared statement. Bound texts must live until the row has been stepped to.
class Statement {
 public:
  Statement(const Database& database, const std::string& sql);
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  ~Statement();

  Statement& bind(int at, std::int64_t value);
  Statement& bind(int at, std::string_view text);
  bool step();  ///< true: there is a row; false: done
  void run();   ///< steps to the end and resets, ready for the next values

  std::int64_t integer(int column) const;
  double real(int column) const;
  std::string_view text(int column) const;  ///< valid until the next step
  bool is_null(int column) const;

 private:
  const Database& database_;
  sqlite3_stmt* handle_ = nullptr;
};

/// `value(id)` under `name` in SQL, as long as this lives and never from inside a file's own schema. `value`
/// must not throw.
class SqlFunction {
 public:
  using Value = std::function<double(std::int64_t)>;
  SqlFunction(const Database& database, std::string name, Value value);
  SqlFunction(const SqlFunction&) = delete;
  SqlFunction& operator=(const SqlFunction&) = delete;
  ~SqlFunction();

 private:
  const Database& database_;
  std::string name_;
  Value value_;
};

/// A write transaction: rolled back unless `commit` is reached. Inside another one it is a part of that.
class Transaction {
 public:
  explicit Transaction(Database& database);
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();
  void commit();

 private:
  Database& database_;
  bool inner_, open_ = true;
};

}  // namespace shoal
