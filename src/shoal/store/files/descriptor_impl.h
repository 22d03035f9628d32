#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace shoal {

/// An open file descriptor, closed when its owner goes.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor();
  int number() const { return number_; }
  explicit operator bool() const { return number_ >= 0; }

 private:
  int number_ = -1;
};

/// Throws Error(file): "cannot `doing` `path`: " and the system's reason, "the disk is full" where it is.
[[noreturn]] void throw_file_error(std::string_view doing, const std::filesystem::path& path, int reason);

/// What an errno means, in words.
std::string reason_words(int reason);

/// Opens an existing regular file. Error(file) if it is missing or anything else: a folder, a pipe, a device.
Descriptor open_regular(const std::filesystem::path& path, int flags);

/// Opens `path` by `open` and locks it until it is closed. Waits up to 2 s for another process that has it: a
/// process that was killed keeps its locks for some tenths of a second. If `path` comes to name another file
/// before the lock is there, because the other one has finished and renamed its own, that one is opened.
/// Empty if another process still has it. A file system without such locks (some network disks) goes
/// unguarded.
Descriptor open_locked(const std::filesystem::path& path, const std::function<Descriptor()>& open);
/// Error(file): another shoal process is writing to `path`.
[[noreturn]] void throw_being_written(const std::filesystem::path& path);

/// Where `path` is written until it is whole: .NAME.part beside it.
std::filesystem::path part_of(const std::filesystem::path& path);
/// Opens or makes `part`, which is to take the place of `replaced`: with the permissions of that from its
/// first byte on, or as the umask says if nothing is there.
Descriptor open_part(const std::filesystem::path& part, const std::filesystem::path& replaced);
/// Gives a file or folder the mode of what is at `path`, and its owner and group where this process may.
/// Nothing if nothing is there.
void take_permissions(const Descriptor& file, const std::filesystem::path& path);
/// The same for a folder and the files right inside it, by their names.
void take_permissions_within(const std::filesystem::path& folder, const std::filesystem::path& old);

std::uint64_t file_size(const Descriptor& file, const std::filesystem::path& path);

/// Writes all of `bytes` at `offset`; Error(file) if that fails half-way.
void write_at(const Descriptor& file, const std::filesystem::path& path, std::uint64_t offset,
              std::span<const std::byte> bytes);

/// Returns after the file's bytes are on disk.
void sync_file(const Descriptor& file, const std::filesystem::path& path);
/// Returns after the folder's names are on disk. File systems that cannot do this are let pass.
void sync_folder(const std::filesystem::path& folder);

/// Gives the folder `fresh` the name `path`, where another is, which goes to `aside`. In one step where the
/// file system can, so that there is a whole folder at `path` at any moment. Returns 0, or the reason why all
/// is as it was.
int take_place(const std::filesystem::path& fresh, const std::filesystem::path& path,
               const std::filesystem::path& aside);

/// The folder that holds `path`: "." for a bare name.
std::filesystem::path folder_of(const std::filesystem::path& path);

inline std::span<const std::byte> as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

}  // namespace shoal
