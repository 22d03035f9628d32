#include <sqlite3.h>

#include <new>
#include <utility>

#include "shoal/core/error.h"
#include "shoal/store/collection/collection.h"
#include "shoal/store/collection/database_impl.h"
#include "shoal/store/files/descriptor_impl.h"

namespace shoal {
namespace {

constexpr int kPatienceMs = 10'000;  // how long to wait for a reader or writer in another process

int open_flags(Database::Mode mode) {
  switch (mode) {
    case Database::Mode::read:
      return SQLITE_OPEN_READONLY;
    case Database::Mode::write:
      return SQLITE_OPEN_READWRITE;
    case Database::Mode::create:
      return SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  }
  return SQLITE_OPEN_READONLY;
}

std::string reason_of(int code, int system) {
  switch (code & 0xff) {
    case SQLITE_FULL:
      return "the disk is full";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "another program is using it; try again when that has finished";
    case SQLITE_READONLY:
      if (code == SQLITE_READONLY_ROLLBACK) {
        return "it was interrupted in the middle of a change; run the command that made it again, or open it "
               "where it can be written";
      }
      return "it cannot be written";
    default:
      return system != 0 ? reason_words(system) : sqlite3_errstr(code);
  }
}

void call(sqlite3_context* context, int, sqlite3_value** values) {
  const auto& value = *static_cast<const SqlFunction::Value*>(sqlite3_user_data(context));
  sqlite3_result_double(context, value(sqlite3_value_int64(values[0])));
}

}  // namespace

Database::Database(const std::filesystem::path& path, Mode mode) : path_(path) {
  // An absolute path starts with '/', so that SQLite cannot take it for a URI or for ":memory:".
  const std::string name = std::filesystem::absolute(path).string();
  const int code = sqlite3_open_v2(name.c_str(), &handle_, open_flags(mode) | SQLITE_OPEN_FULLMUTEX, nullptr);
  if (code != SQLITE_OK) {
    Database closes_it;  // a constructor that throws has no destructor
    std::swap(closes_it.handle_, handle_);
    closes_it.path_ = path;
    closes_it.fail(code);
  }
  sqlite3_extended_result_codes(handle_, 1);
  sqlite3_busy_timeout(handle_, kPatienceMs);
  // A file from a stranger must not run functions by its views and triggers, nor be trusted in its structure.
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
}

Database::Database(Database&& other) noexcept
    : handle_(std::exchange(other.handle_, nullptr)), path_(std::move(other.path_)) {}

Database& Database::operator=(Database&& other) noexcept {
  std::swap(handle_, other.handle_);
  std::swap(path_, other.path_);
  return *this;
}

Database::~Database() { close(); }

void Database::close() { sqlite3_close_v2(std::exchange(handle_, nullptr)); }

void Database::fail(int code) const {
  const int system = handle_ == nullptr ? 0 : sqlite3_system_errno(handle_);
  const std::string said = handle_ == nullptr ? "" : sqlite3_errmsg(handle_);
  switch (code & 0xff) {
    case SQLITE_NOMEM:
      throw std::bad_alloc();
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_ERROR:
    case SQLITE_MISMATCH:
    case SQLITE_CONSTRAINT:  // what no statement of ours breaks on a sound table
      throw damaged_collection(path_.parent_path(),
                               path_.filename().string() + " is cut or spoilt (" + said + ")");
    case SQLITE_TOOBIG:
      throw Error(Fault::data, path_.string() + ": a row is longer than " +
                                   std::to_string(sqlite3_limit(handle_, SQLITE_LIMIT_LENGTH, -1)) +
                                   " bytes");
    default:
      throw Error(Fault::file, "cannot use " + path_.string() + ": " + reason_of(code, system));
  }
}

void Database::run(const std::string& sql) {
  const int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(code);
}

std::int64_t Database::number(const std::string& sql) {
  Statement statement(*this, sql);
  return statement.step() ? statement.integer(0) : 0;
}

int Database::most_columns() const { return sqlite3_limit(handle_, SQLITE_LIMIT_COLUMN, -1); }

Statement::Statement(const Database& database, const std::string& sql) : database_(database) {
  const int code =
      sqlite3_prepare_v2(database.handle(), sql.data(), static_cast<int>(sql.size()), &handle_, nullptr);
  if (code != SQLITE_OK) database.fail(code);
}

Statement::~Statement() { sqlite3_finalize(handle_); }

Statement& Statement::bind(int at, std::int64_t value) {
  const int code = sqlite3_bind_int64(handle_, at, value);
  if (code != SQLITE_OK) database_.fail(code);
  return *this;
}

Statement& Statement::bind(int at, std::string_view text) {
  const char* start = text.data() == nullptr ? "" : text.data();  // a null pointer would bind NULL
  const int code = sqlite3_bind_text64(handle_, at, start, text.size(), SQLITE_STATIC, SQLITE_UTF8);
  if (code != SQLITE_OK) database_.fail(code);
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(handle_);
  if (code != SQLITE_ROW && code != SQLITE_DONE) database_.fail(code);
  return code == SQLITE_ROW;
}

void Statement::run() {
  while (step()) {
  }
  sqlite3_reset(handle_);
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(handle_, column); }
double Statement::real(int column) const { return sqlite3_column_double(handle_, column); }
bool Statement::is_null(int column) const { return sqlite3_column_type(handle_, column) == SQLITE_NULL; }

std::string_view Statement::text(int column) const {
  const auto* start = reinterpret_cast<const char*>(sqlite3_column_text(handle_, column));
  return {start, static_cast<std::size_t>(sqlite3_column_bytes(handle_, column))};
}

SqlFunction::SqlFunction(const Database& database, std::string name, Value value)
    : database_(database), name_(std::move(name)), value_(std::move(value)) {
  const int code = sqlite3_create_function(database.handle(), name_.c_str(), 1,
                                           SQLITE_UTF8 | SQLITE_DIRECTONLY, &value_, call, nullptr, nullptr);
  if (code != SQLITE_OK) database.fail(code);
}

SqlFunction::~SqlFunction() {
  sqlite3_create_function(database_.handle(), name_.c_str(), 1, SQLITE_UTF8, nullptr, nullptr, nullptr,
                          nullptr);
}

Transaction::Transaction(Database& database)
    : database_(database), inner_(sqlite3_get_autocommit(database.handle()) == 0) {
  database_.run(inner_ ? "SAVEPOINT inner" : "BEGIN IMMEDIATE");
}

Transaction::~Transaction() {
  if (!open_) return;
  const char* undo = inner_ ? "ROLLBACK TO inner; RELEASE inner" : "ROLLBACK";
  sqlite3_exec(database_.handle(), undo, nullptr, nullptr, nullptr);
}

void Transaction::commit() {
  database_.run(inner_ ? "RELEASE inner" : "COMMIT");
  open_ = false;
}

}  // namespace shoal
