#include "shoal/store/files/new_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

#include "shoal/core/error.h"
#include "shoal/store/archive/archive.h"
#include "shoal/store/files/descriptor_impl.h"

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

}  // namespace

struct NewFile::State {
  explicit State(const std::filesystem::path& wanted);
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State();

  std::filesystem::path path, part;
  Descriptor file;
  std::uint64_t size = 0;
  bool kept = false;
};

NewFile::State::State(const std::filesystem::path& wanted) : path(without_links(wanted)) {
  check_replaceable(path);
  part = part_of(path);
  file = open_locked(part, [&] { return open_part(part, path); });
  if (!file) throw_being_written(path);
  if (::ftruncate(file.number(), 0) != 0) throw_file_error("write", path, errno);
}

NewFile::State::~State() {
  if (!kept) ::unlink(part.c_str());
}

NewFile::NewFile(const std::filesystem::path& path) : state_(std::make_unique<State>(path)) {}
NewFile::~NewFile() = default;

void NewFile::clean_up(const std::filesystem::path& path) {
  if (!std::filesystem::exists(part_of(without_links(path)))) return;
  try {
    NewFile{path};          // takes it over, and goes
  } catch (const Error&) {  // another process writes it, or the disk is read-only
  }
}

void NewFile::keep_off(const std::filesystem::path& path, const std::filesystem::path& needed) {
  std::error_code none;  // what is not there is no other file
  require(!std::filesystem::equivalent(path, needed, none), Fault::argument,
          option_name("out") + " " + path.string() + " is an input, which would be lost");
}

void NewFile::write(std::span<const std::byte> bytes) {
  write_at(state_->file, state_->path, state_->size, bytes);
  state_->size += bytes.size();
}

void NewFile::write(std::string_view text) { write(as_bytes(text)); }

const std::filesystem::path& NewFile::part() const { return state_->part; }

void NewFile::keep() {
  State& s = *state_;
  take_permissions(s.file, s.path);
  sync_file(s.file, s.path);
  if (std::rename(s.part.c_str(), s.path.c_str()) != 0) throw_file_error("write", s.path, errno);
  s.kept = true;
  sync_folder(folder_of(s.path));
}

void write_file(const std::filesystem::path& path, std::string_view content) {
  NewFile file(path);
  file.write(content);
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
