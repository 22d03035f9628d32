#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <system_error>
#include <thread>

#include "shoal/core/error.h"
#include "shoal/store/files/descriptor_impl.h"

namespace shoal {

Descriptor::~Descriptor() {
  if (number_ >= 0) ::close(number_);
}

std::string reason_words(int reason) {
  if (reason == ENOSPC) return "the disk is full";
  if (reason == EDQUOT) return "the disk quota is used up";
  if (reason == EFBIG) return "the file would be larger than this disk or process may write";
  return std::generic_category().message(reason);
}

void throw_file_error(std::string_view doing, const std::filesystem::path& path, int reason) {
  throw Error(Fault::file,
              "cannot " + std::string(doing) + " " + path.string() + ": " + reason_words(reason));
}

Descriptor open_regular(const std::filesystem::path& path, int flags) {
  // Without O_NONBLOCK the open of a pipe that nobody writes to would wait forever.
  Descriptor file(::open(path.c_str(), flags | O_CLOEXEC | O_NONBLOCK));
  if (!file) throw_file_error("open", path, errno);
  struct stat facts {};
  if (::fstat(file.number(), &facts) != 0) throw_file_error("open", path, errno);
  if (S_ISDIR(facts.st_mode)) throw Error(Fault::file, path.string() + " is a folder; a file is needed");
  if (!S_ISREG(facts.st_mode)) {
    throw Error(Fault::file, path.string() + " is a pipe or device; a file on disk is needed");
  }
  return file;
}

namespace {

/// Whether `path` names this file still.
bool names(const std::filesystem::path& path, const Descriptor& file) {
  struct stat by_number {
  }, by_name{};
  return ::fstat(file.number(), &by_number) == 0 && ::stat(path.c_str(), &by_name) == 0 &&
         by_number.st_dev == by_name.st_dev && by_number.st_ino == by_name.st_ino;
}

}  // namespace

Descriptor open_locked(const std::filesystem::path& path, const std::function<Descriptor()>& open) {
  using namespace std::chrono_literals;
  const auto end = std::chrono::steady_clock::now() + 2s;
  for (;;) {
    Descriptor file = open();
    const bool taken = ::flock(file.number(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    if (!taken && names(path, file)) return file;
    if (std::chrono::steady_clock::now() >= end) return {};
    std::this_thread::sleep_for(10ms);
  }
}

void throw_being_written(const std::filesystem::path& path) {
  throw Error(Fault::file, "another shoal process is writing to " + path.string(),
              "wait until it has finished, or stop it");
}

std::filesystem::path part_of(const std::filesystem::path& path) {
  return folder_of(path) / ("." + path.filename().string() + ".part");
}

Descriptor open_part(const std::filesystem::path& part, const std::filesystem::path& replaced) {
  std::error_code ignored;
  const mode_t mode = std::filesystem::exists(replaced, ignored) ? 0600 : 0666;
  Descriptor file(::open(part.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, mode));
  if (!file) throw_file_error("write", replaced.empty() ? part : replaced, errno);
  take_permissions(file, replaced);
  // Until it is whole its owner may write it, also after a kill: the part of a read-only file is not stuck.
  struct stat facts {};
  if (::fstat(file.number(), &facts) == 0 && (facts.st_mode & 0600) != 0600) {
    [[maybe_unused]] const int failed = ::fchmod(file.number(), (facts.st_mode & 07777) | 0600);
  }
  return file;
}

void take_permissions(const Descriptor& file, const std::filesystem::path& path) {
  struct stat old {
  }, mine{};
  if (::stat(path.c_str(), &old) != 0 || ::fstat(file.number(), &mine) != 0) return;
  // Only root may give a file away; a group may be one of the process's own.
  if ((old.st_uid != mine.st_uid || old.st_gid != mine.st_gid) &&
      ::fchown(file.number(), old.st_uid, old.st_gid) != 0 &&
      ::fchown(file.number(), static_cast<uid_t>(-1), old.st_gid) != 0)
    old.st_mode = (old.st_mode & ~mode_t{070}) | ((old.st_mode & 07) << 3);  // another group: like others
  [[maybe_unused]] const int ignored = ::fchmod(file.number(), old.st_mode & 07777);  // disks without modes
}

void take_permissions_within(const std::filesystem::path& folder, const std::filesystem::path& old) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    const Descriptor file(::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (file) take_permissions(file, old / entry.path().filename());
  }
  const Descriptor itself(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (itself) take_permissions(itself, old);
}

std::uint64_t file_size(const Descriptor& file, const std::filesystem::path& path) {
  struct stat facts {};
  if (::fstat(file.number(), &facts) != 0) throw_file_error("read the size of", path, errno);
  return static_cast<std::uint64_t>(facts.st_size);
}

void write_at(const Descriptor& file, const std::filesystem::path& path, std::uint64_t offset,
              std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(file.number(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) throw_file_error("write", path, written == 0 ? ENOSPC : errno);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
}

void sync_file(const Descriptor& file, const std::filesystem::path& path) {
  if (::fsync(file.number()) != 0) throw_file_error("write", path, errno);
}

void sync_folder(const std::filesystem::path& folder) {
  const Descriptor open(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!open) return;  // a folder that may be written to but not listed: nothing can be done
  if (::fsync(open.number()) != 0 && errno != EINVAL && errno != ENOTSUP) {
    throw_file_error("write", folder, errno);
  }
}

std::filesystem::path folder_of(const std::filesystem::path& path) {
  const std::filesystem::path parent = path.parent_path();
  return parent.empty() ? std::filesystem::path(".") : parent;
}

int take_place(const std::filesystem::path& fresh, const std::filesystem::path& path,
               const std::filesystem::path& aside) {
  const auto exchange = [&] {
    return ::renameat2(AT_FDCWD, fresh.c_str(), AT_FDCWD, path.c_str(), RENAME_EXCHANGE) == 0;
  };
  const bool in_one_step = exchange();
  const std::filesystem::path& old = in_one_step ? fresh : path;
  if (std::rename(old.c_str(), aside.c_str()) != 0) {
    const int reason = errno;
    if (in_one_step) exchange();
    return reason;
  }
  if (in_one_step || std::rename(fresh.c_str(), path.c_str()) == 0) return 0;
  const int reason = errno;
  std::rename(aside.c_str(), path.c_str());
  return reason;
}

}  // namespace shoal
