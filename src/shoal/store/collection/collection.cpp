#include "shoal/store/collection/collection.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "shoal/core/error.h"
#include "shoal/store/archive/archive.h"
#include "shoal/store/collection/collection_impl.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;

/// One writer at a time. The lock is on the folder itself, so that no lock file is left, and goes with the
/// process.
Descriptor lock_folder(const fs::path& folder) {
  Descriptor lock = open_locked(folder, [&] {
    Descriptor open(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!open) throw_file_error("open", folder, errno);
    return open;
  });
  if (!lock) throw_being_written(folder);
  return lock;
}

/// A folder that `create` may fill: empty, or with what a `create` that was killed has left.
bool nothing_in(const fs::path& folder) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (!entry.path().filename().string().starts_with(kDatabasePart)) return false;
  }
  return true;
}

[[noreturn]] void exists_already(const fs::path& folder) {
  throw Error(Fault::argument,
              folder.string() + " exists already" +
                  (Collection::exists(folder) ? "" : " and is not a shoal collection: it is not replaced") +
                  "; choose another name");
}

bool has_database(const fs::path& folder) {
  std::error_code ignored;
  return fs::is_regular_file(folder / kDatabaseFile, ignored);
}

/// Whether a folder without a readable database was a collection: it is called so (as one that was set aside
/// is, .NAME.shoal.old), and holds an archive or what was the database. Another folder's files are not ours.
bool was_collection(const fs::path& folder) {
  std::error_code ignored;
  const std::string name = fs::canonical(folder, ignored).filename().string();
  if (!name.ends_with(".shoal") && !name.ends_with(".shoal.old") && !name.ends_with(".shoal.new"))
    return false;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (entry.path().filename() == kDatabaseFile || entry.path().extension() == ".safetensors") return true;
  }
  return false;
}

[[noreturn]] void no_collection(const fs::path& folder) {
  throw Error(Fault::format, folder.string() + " is not a shoal collection: " +
                                 (has_database(folder) ? "its rows.sqlite was made by another program"
                                                       : "it has no rows.sqlite"));
}

/// The version of a collection that this program can read.
std::int64_t version_of(Database& database, const fs::path& folder) {
  const auto version = database.number("SELECT value FROM manifest WHERE key = 'format_version'");
  if (version > kFormatVersion) {
    throw Error(Fault::format, folder.string() + " has format version " + std::to_string(version) +
                                   "; this program knows version " + std::to_string(kFormatVersion) +
                                   ": update shoal");
  }
  if (version < 1) throw damaged_collection(folder, "rows.sqlite has no format version");
  return version;
}

}  // namespace

Error damaged_collection(const std::filesystem::path& folder, const std::string& what) {
  return {Fault::format, folder.string() + " is damaged: " + what,
          "restore it from a copy, or map the texts anew with " + option_name("overwrite")};
}

Collection::Collection(std::unique_ptr<State> state) : state_(std::move(state)) {}
Collection::Collection(Collection&&) noexcept = default;
Collection& Collection::operator=(Collection&&) noexcept = default;
Collection::~Collection() = default;

Collection Collection::create(const fs::path& folder) {
  if (::mkdir(folder.c_str(), 0777) != 0) {
    if (errno != EEXIST) throw_file_error("make the folder", folder, errno);
    if (!fs::is_directory(folder) || !nothing_in(folder)) {
      exists_already(folder);
    }
  }
  auto state = std::make_unique<State>();
  state->folder = folder;
  state->lock = lock_folder(folder);
  if (!nothing_in(folder)) exists_already(folder);  // another process was faster
  Database database = new_database(folder / kDatabasePart, folder / kDatabaseFile, {});
  database.run("INSERT INTO manifest VALUES('format_version', " + std::to_string(kFormatVersion) + ")");
  database.close();
  finish_database(folder / kDatabasePart, folder / kDatabaseFile);
  sync_folder(folder_of(fs::absolute(folder)));
  state->connect();
  return Collection(std::move(state));
}

Collection Collection::open(const fs::path& folder, bool read_only) {
  std::error_code ignored;
  if (!fs::exists(folder, ignored)) throw Error(Fault::file, "there is no collection " + folder.string());
  auto state = std::make_unique<State>();
  state->folder = folder;
  state->read_only = read_only;
  try {
    if (!has_database(folder)) throw damaged_collection(folder, "rows.sqlite is lost");
    if (fs::is_empty(folder / kDatabaseFile)) throw damaged_collection(folder, "rows.sqlite is empty");
    if (!read_only) {
      state->lock = lock_folder(folder);
      fs::remove(folder / kDatabasePart, ignored);
    }
    state->connect();
    if (version_of(state->database, folder) < kFormatVersion)
      read_only ? show_as_new(state->database) : migrate(state->database);
  } catch (const Error& e) {
    if (e.fault == Fault::format && !exists(folder)) no_collection(folder);
    throw;
  }
  return Collection(std::move(state));
}

Collection Collection::open_to_replace(const fs::path& folder) {
  if (!exists(folder)) no_collection(folder);
  auto state = std::make_unique<State>();
  state->folder = folder;
  state->lock = lock_folder(folder);
  return Collection(std::move(state));
}

bool Collection::exists(const fs::path& folder) {
  // The first bytes of an SQLite file, and the place of its application_id
  // (https://www.sqlite.org/fileformat2.html).
  std::array<char, 72> head;
  const Descriptor file(::open((folder / kDatabaseFile).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  const bool database = file && ::pread(file.number(), head.data(), head.size(), 0) == std::ssize(head) &&
                        std::memcmp(head.data(), "SQLite format 3", 16) == 0;
  return database ? std::memcmp(&head[68], "shol", 4) == 0 : was_collection(folder);
}

void Collection::take_place_of(Collection& old, const fs::path& aside) {
  State &mine = *state_, &theirs = *old.state_;
  require(!mine.read_only && !theirs.read_only, Fault::argument, "the collection was opened read-only");
  mine.database.close();  // SQLite knows its file by name
  theirs.database.close();
  take_permissions_within(mine.folder, theirs.folder);
  const int reason = take_place(mine.folder, theirs.folder, aside);
  if (reason == 0) mine.folder = std::exchange(theirs.folder, aside);
  mine.connect();
  if (reason != 0) throw_file_error("replace", theirs.folder, reason);
  sync_folder(folder_of(fs::absolute(mine.folder)));
}

void Collection::State::connect() {
  database = Database(folder / kDatabaseFile, read_only ? Database::Mode::read : Database::Mode::write);
  database.run("PRAGMA temp_store=MEMORY; PRAGMA cache_size=-65536; PRAGMA cell_size_check=ON");
  // A rollback journal, because it leaves nothing beside the database after a commit: a finished collection
  // is one file, readable from a read-only disk. EXTRA also syncs the journal's removal, which is the commit.
  if (!read_only) database.run("PRAGMA journal_mode=DELETE; PRAGMA synchronous=EXTRA");
  settled = database.number("PRAGMA user_version") == 1 && fs::exists(folder / kDatabaseSum);
}

void Collection::State::changing() {
  require(!read_only, Fault::argument, "the collection was opened read-only");
  settled = false;
  if (database.number("PRAGMA user_version") != 1) return;
  database.run("PRAGMA user_version=0");
  std::error_code ignored;
  fs::remove(folder / kDatabaseSum, ignored);
}

const fs::path& Collection::folder() const { return state_->folder; }
fs::path Collection::file(std::string_view name) const { return state_->folder / name; }
fs::path Collection::part(std::string_view name) const { return part_of(state_->folder / name); }

std::optional<std::string> Collection::manifest(std::string_view key) const {
  Statement find(state_->database, "SELECT value FROM manifest WHERE key = ?");
  find.bind(1, key);
  if (!find.step()) return std::nullopt;
  return std::string(find.text(0));
}

void Collection::set_manifest(std::string_view key, std::string_view value) {
  if (manifest(key) == value) return;
  Transaction transaction(state_->database);
  state_->changing();
  Statement(state_->database, "INSERT OR REPLACE INTO manifest VALUES(?, ?)")
      .bind(1, key)
      .bind(2, value)
      .run();
  transaction.commit();
}

bool Collection::check() const {
  const State& s = *state_;
  if (s.settled) {
    if (sum_line(file(kDatabaseFile)) == read_file(file(kDatabaseSum), 4096)) return true;
    throw damaged_collection(s.folder, "rows.sqlite is not as it was written");
  }
  Statement check(s.database, "PRAGMA integrity_check(1)");
  if (!check.step() || check.text(0) != "ok")
    throw damaged_collection(s.folder, "rows.sqlite is cut or spoilt (" + std::string(check.text(0)) + ")");
  return false;
}

bool Collection::done(std::string_view step, std::string_view key) const {
  Statement find(state_->database, "SELECT 1 FROM steps WHERE name = ? AND key = ?");
  return find.bind(1, step).bind(2, key).step();
}

void Collection::finish_step(std::string_view step, std::string_view key) {
  if (done(step, key)) return;
  Transaction transaction(state_->database);
  state_->changing();
  Statement(state_->database, "INSERT OR REPLACE INTO steps VALUES(?, ?)").bind(1, step).bind(2, key).run();
  transaction.commit();
}

void Collection::together(const std::function<void()>& change) {
  Transaction transaction(state_->database);
  change();
  transaction.commit();
}

void Collection::forget_manifest(std::string_view key) {
  if (!manifest(key)) return;
  Transaction transaction(state_->database);
  state_->changing();
  Statement(state_->database, "DELETE FROM manifest WHERE key = ?").bind(1, key).run();
  transaction.commit();
}

void Collection::forget_step(std::string_view step) {
  {
    Statement find(state_->database, "SELECT 1 FROM steps WHERE name = ?");
    if (!find.bind(1, step).step()) return;
  }
  Transaction transaction(state_->database);
  state_->changing();
  Statement(state_->database, "DELETE FROM steps WHERE name = ?").bind(1, step).run();
  transaction.commit();
}

}  // namespace shoal
