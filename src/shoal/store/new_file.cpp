#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "shoal/core/error.h"
#include "shoal/store/archive.h"
#include "shoal/store/new_file_impl.h"

namespace shoal {
namespace {

std::filesystem::path without_links(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::is_symlink(path, ignored)) return path;
  std::filesystem::path real = std::filesystem::weakly_canonical(path, ignored);
  return ignored ? path : real;
}

void check_replaceable(const std::filesystem::path& path) {
  require(path.has_filename(), Fault::file, "cannot write '" + path.string() + "': it names no file");
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0) return;  // nothing there
  if (S_ISDIR(facts.st_mode)) throw Error(Fault::file, "cannot write " + path.string() + ": it is a folder");
  if (!S_ISREG(facts.st_mode)) {
    throw Error(Fault::file, "cannot write " + path.string() + ": it is a pipe or device, not a file");
  }
}

bool same_file(const Descriptor& open, const std::filesystem::path& path) {
  struct stat by_number {
  }, by_name{};
  return ::fstat(open.number(), &by_number) == 0 && ::stat(path.c_str(), &by_name) == 0 &&
         by_number.st_dev == by_name.st_dev && by_number.st_ino == by_name.st_ino;
}

}  // namespace

NewFile::NewFile(const std::filesystem::path& path) : path_(without_links(path)) {
  check_replaceable(path_);
  part_ = folder_of(path_) / ("." + path_.filename().string() + ".part");
  take_part();
}

void NewFile::take_part() {
  for (;;) {
    file_ = Descriptor(::open(part_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666));
    if (!file_) throw_file_error("write", path_, errno);
    if (::flock(file_.number(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
      throw Error(Fault::file, "cannot write " + path_.string() + ": another process is writing it");
    }
    // Between our open and our lock another writer may have renamed the part into place: then what we hold
    // is its finished file, which must not be touched.
    if (same_file(file_, part_)) break;
  }
  if (::ftruncate(file_.number(), 0) != 0) throw_file_error("write", path_, errno);
}

NewFile::~NewFile() {
  if (file_ && !kept_) ::unlink(part_.c_str());
}

void NewFile::write(std::span<const std::byte> bytes) {
  write_at(file_, path_, size_, bytes);
  size_ += bytes.size();
}

void NewFile::keep() {
  sync_file(file_, path_);
  if (::rename(part_.c_str(), path_.c_str()) != 0) throw_file_error("write", path_, errno);
  kept_ = true;
  sync_folder(folder_of(path_));
}

void write_file(const std::filesystem::path& path, std::string_view content) {
  NewFile file(path);
  file.write(as_bytes(content));
  file.keep();
}

std::string read_file(const std::filesystem::path& path, std::size_t most) {
  const Descriptor file = open_regular(path, O_RDONLY);
  std::string content;
  std::uint64_t size = file_size(file, path);
  for (;;) {
    if (size > most) {
      throw Error(Fault::format, path.string() + " has " + std::to_string(size) + " bytes; at most " +
                                     std::to_string(most) + " are allowed here");
    }
    const std::size_t have = content.size();
    content.resize(std::max<std::size_t>(size, have) + 1);  // one more, to see a file that has grown
    const ssize_t got = ::read(file.number(), content.data() + have, content.size() - have);
    if (got < 0 && errno != EINTR) throw_file_error("read", path, errno);
    content.resize(have + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got == 0) return content;
    size = std::max<std::uint64_t>(size, content.size());
  }
}

}  // namespace shoal
