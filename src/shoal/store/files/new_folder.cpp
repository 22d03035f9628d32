#include "shoal/store/files/new_folder.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <string>
#include <system_error>

#include "shoal/core/error.h"
#include "shoal/store/files/descriptor_impl.h"

namespace shoal {
namespace fs = std::filesystem;
namespace {

// Not inside the part: that is renamed, and the folder is to hold its own files only.
fs::path beside(const fs::path& path, const char* ending) {
  return folder_of(path) / ("." + path.filename().string() + ending);
}

void remove_tree(const fs::path& path) {
  std::error_code failed;
  fs::remove_all(path, failed);
  if (failed) throw Error(Fault::file, "cannot remove " + path.string() + ": " + failed.message());
}

void check_place(const fs::path& path, const FolderMark& mark, bool overwrite,
                 std::span<const char* const> files) {
  if (!fs::exists(fs::symlink_status(path))) return;
  require(
      overwrite, Fault::argument,
      path.string() + " exists; choose another " + option_name("out") + ", or " + option_name("overwrite"));
  require(has_mark(path, mark), Fault::argument,
          path.string() + " was not made by this command (there is no " + std::string(mark.file) +
              " of its own in it), so it is not replaced; choose another " + option_name("out"));
  for (const auto& entry : fs::directory_iterator(path)) {
    const std::string name = entry.path().filename().string();
    require(std::ranges::find(files, name) != files.end(), Fault::argument,
            path.string() + " also holds " + name +
                ", which this command did not make, so it is not replaced; move it away, or choose another " +
                option_name("out"));
  }
}

/// Held while the folder is made; its file goes with it, also when the making fails at once.
struct FolderLock {
  FolderLock() = default;
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  ~FolderLock() {
    std::error_code ignored;
    if (file) fs::remove(path, ignored);
  }
  fs::path path;
  Descriptor file;
};

}  // namespace

bool has_mark(const fs::path& folder, const FolderMark& mark) {
  if (!mark.old_file.empty() && fs::exists(folder / mark.old_file)) return true;
  if (mark.says.empty()) return fs::exists(folder / mark.file);
  std::string head(4096, '\0');
  std::ifstream in(folder / mark.file, std::ios::binary);
  in.read(head.data(), std::ssize(head));
  return std::string_view(head).substr(0, static_cast<std::size_t>(in.gcount())).find(mark.says) !=
         std::string_view::npos;
}

struct NewFolder::State {
  State(const fs::path& wanted, const FolderMark& its_mark, bool overwrite,
        std::span<const char* const> all_files);
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State();

  fs::path path, part;
  FolderMark mark;
  std::span<const char* const> files;
  FolderLock lock;
  bool overwrite, kept = false;
};

NewFolder::State::State(const fs::path& wanted, const FolderMark& its_mark, bool may_replace,
                        std::span<const char* const> all_files)
    : path(wanted.has_filename() ? wanted : wanted.parent_path()),
      mark(its_mark),
      files(all_files),
      overwrite(may_replace) {
  require(path.has_filename(), Fault::argument, "'" + wanted.string() + "' names no folder");
  if (fs::is_symlink(path)) path = fs::weakly_canonical(path);
  part = beside(path, ".part");
  const fs::path lock_path = beside(path, ".lock");
  Descriptor mine = open_locked(lock_path, [&] {
    Descriptor open(::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666));
    if (!open) throw_file_error("write", path, errno);
    return open;
  });
  if (!mine) throw_being_written(path);
  lock.path = lock_path;
  lock.file = std::move(mine);
  std::error_code ignored;  // a maker that was killed between its two renames: its old folder comes back
  const fs::path old = beside(path, ".old");
  if (!fs::exists(path) && has_mark(old, mark)) fs::rename(old, path, ignored);
  check_place(path, mark, overwrite, files);
  if (fs::exists(path) && has_mark(old, mark)) remove_tree(old);
  remove_tree(part);
  // What replaces is private until it has the permissions of what it replaces.
  if (::mkdir(part.c_str(), fs::exists(path) ? 0700 : 0777) != 0) throw_file_error("write", path, errno);
}

NewFolder::State::~State() {
  std::error_code ignored;
  if (!kept) fs::remove_all(part, ignored);
}

NewFolder::NewFolder(const fs::path& path, const FolderMark& mark, bool overwrite,
                     std::span<const char* const> files)
    : state_(std::make_unique<State>(path, mark, overwrite, files)) {}
NewFolder::NewFolder(NewFolder&&) noexcept = default;
NewFolder::~NewFolder() = default;

void NewFolder::clean_up(const fs::path& wanted, const FolderMark& mark, std::span<const char* const> files) {
  const fs::path path = wanted.has_filename() ? wanted : wanted.parent_path();
  for (const char* left : {".part", ".old", ".lock"}) {
    if (!fs::exists(fs::symlink_status(beside(path, left)))) continue;
    try {
      NewFolder(path, mark, true, files);  // takes them over, and goes
    } catch (const Error&) {               // another process makes it, or the disk is read-only
    }
    return;
  }
}

fs::path NewFolder::operator/(std::string_view name) const { return state_->part / name; }
const fs::path& NewFolder::path() const { return state_->path; }

void NewFolder::keep_off(const fs::path& needed) const {
  std::error_code ignored;
  const fs::path out = fs::weakly_canonical(state_->path, ignored);
  for (fs::path at = fs::weakly_canonical(needed, ignored); at.has_relative_path(); at = at.parent_path())
    require(at != out, Fault::argument,
            needed.string() + " lies in " + state_->path.string() +
                ", which would be replaced; choose another " + option_name("out"));
}

void NewFolder::keep() {
  State& s = *state_;
  require(has_mark(s.part, s.mark), Fault::file,
          "cannot keep " + s.path.string() + ": it has no " + std::string(s.mark.file));
  // While it was being made, something may have come there.
  check_place(s.path, s.mark, s.overwrite, s.files);
  sync_folder(s.part);
  const fs::path old = beside(s.path, ".old");
  remove_tree(old);
  const bool replaces = fs::exists(s.path);
  if (replaces) take_permissions_within(s.part, s.path);
  const int reason = replaces                                           ? take_place(s.part, s.path, old)
                     : std::rename(s.part.c_str(), s.path.c_str()) == 0 ? 0
                                                                        : errno;
  if (reason != 0) throw_file_error(replaces ? "replace" : "write", s.path, reason);
  s.kept = true;
  sync_folder(folder_of(s.path));
  if (replaces) remove_tree(old);
}

}  // namespace shoal
