#include "shoal/read/input.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "shoal/read/scan.h"

namespace shoal {
namespace {

// A descriptor that closes itself, unless it is standard input.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ > STDIN_FILENO) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

// Returns when a read would not wait, so that a request to stop is heard while a pipe gives nothing.
void wait_for_bytes(int fd, const std::stop_token& stop) {
  constexpr int kPauseMs = 100;
  pollfd wanted{.fd = fd, .events = POLLIN, .revents = 0};
  int ready = 0;
  do {
    require(!stop.stop_requested(), Fault::cancelled, "stopped on request");
    ready = ::poll(&wanted, 1, kPauseMs);
  } while (ready == 0 || (ready < 0 && errno == EINTR));
}

std::size_t read_some(int fd, const std::string& name, const std::stop_token& stop, char* to,
                      std::size_t room) {
  for (;;) {
    wait_for_bytes(fd, stop);
    const ssize_t got = ::read(fd, to, room);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) throw Error(Fault::file, name + ": cannot read: " + std::strerror(errno));
  }
}

}  // namespace

std::string size_text(std::size_t bytes) {
  if (bytes >= (1u << 20) && bytes % (1u << 20) == 0) return std::to_string(bytes >> 20) + " MiB";
  return std::to_string(bytes) + " bytes";
}

std::string Input::name_of(const std::filesystem::path& path) {
  return path == "-" ? "standard input" : path.string();
}

Input::Fetch Input::bytes_of(const std::filesystem::path& path, std::stop_token stop) {
  const std::string name = name_of(path);
  const int fd = path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) throw Error(Fault::file, name + ": cannot open: " + std::strerror(errno));
  auto file = std::make_shared<Descriptor>(fd);  // std::function wants a copyable capture
  ::posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  return [file, name, stop = std::move(stop)](char* to, std::size_t room) {
    return read_some(file->get(), name, stop, to, room);
  };
}

Input::Input(std::string name, Fetch fetch, std::size_t max_record, std::size_t block)
    : name_(std::move(name)),
      fetch_(std::move(fetch)),
      max_record_(std::min(max_record, SIZE_MAX / 4)),
      block_(block) {}

Input Input::of(std::string name, std::string bytes, std::size_t max_record, std::size_t block) {
  auto fetch = [bytes = std::move(bytes), at = std::size_t{0}](char* to, std::size_t room) mutable {
    const std::size_t n = std::min(room, bytes.size() - at);
    std::memcpy(to, bytes.data() + at, n);
    at += n;
    return n;
  };
  return Input(std::move(name), std::move(fetch), max_record, block);
}

void Input::make_room() {
  lines_ += breaks(counted_, begin_);
  dropped_ += begin_;
  const std::size_t kept = end_ - begin_;
  const std::size_t wanted = std::max(block_, std::min(2 * kept, max_record_ + block_));
  if (wanted > capacity_) {
    auto larger = std::make_unique_for_overwrite<char[]>(wanted);
    if (kept > 0) std::memcpy(larger.get(), buffer_.get() + begin_, kept);
    buffer_ = std::move(larger);
    capacity_ = wanted;
  } else if (kept > 0) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, kept);
  }
  begin_ = counted_ = 0;
  end_ = kept;
}

void Input::grow() {
  if (ended_) return;
  check_record(end_ - begin_);
  make_room();
  while (end_ < capacity_) {
    const std::size_t got = fetch_(buffer_.get() + end_, capacity_ - end_);
    if (got == 0) {
      ended_ = true;
      return;
    }
    end_ += got;
  }
}

void Input::fill(std::size_t bytes) {
  while (!ended_ && rest().size() < bytes && rest().size() <= max_record_) grow();
}

void Input::take_line() {
  for (;; grow()) {
    const std::size_t end = rest().find_first_of("\r\n");
    const bool known = end != std::string_view::npos && (rest()[end] == '\n' || end + 1 < rest().size());
    if (!known && !ended_) {
      if (end == std::string_view::npos) take(rest().size());  // of a line of any length
      continue;
    }
    if (end == std::string_view::npos) return take(rest().size());
    const bool pair = rest()[end] == '\r' && end + 1 < rest().size() && rest()[end + 1] == '\n';
    return take(end + 1 + (pair ? 1 : 0));
  }
}

// Line ends in the buffer's bytes [first, last).
Index Input::breaks(std::size_t first, std::size_t last) const {
  if (first >= last) return 0;
  const char* p = buffer_.get();
  const char end = p[last - 1];  // whose neighbour may lie outside
  const bool pair = end == '\r' && last < end_ && p[last] == '\n';
  return count_line_ends(p + first, p + last - 1) + ((end == '\n' || end == '\r') && !pair);
}

Index Input::line(std::size_t offset) const {
  lines_ += breaks(counted_, begin_);
  counted_ = std::max(counted_, begin_);
  return lines_ + breaks(begin_, begin_ + offset) + 1;
}

void Input::check_record(std::size_t bytes) const {
  if (bytes <= max_record_) return;
  throw error(Fault::data, "a record of more than " + size_text(max_record_) +
                               " begins here. Is a quote left open, or is the file of another format? " +
                               option_name("max_record") + " BYTES allows longer records");
}

Error Input::error(Fault fault, const std::string& message, std::size_t offset) const {
  return Error(fault, place(offset) + ": " + message);
}

std::string Input::place(std::size_t offset) const {
  return name_ + ", line " + std::to_string(line(offset));
}

}  // namespace shoal
