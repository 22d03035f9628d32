#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

namespace shoal {

/// A file mapped read-only. Shareable through shared_ptr; unmapped when the last owner goes. If another
/// process cuts the file meanwhile, reading beyond its end raises SIGBUS: see mapped_file_at.
class Mapping {
 public:
  /// Error(file) if it cannot be opened or mapped, or is not a regular file. An empty file maps to an empty
  /// span.
  explicit Mapping(const std::filesystem::path& path);
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping();
  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  std::string path_;
  std::span<const std::byte> bytes_;
  void* place_ = nullptr;  ///< in the list that mapped_file_at reads
};

/// The path of the file that a Mapping has at `address`; null if none has. Safe inside a signal handler: what
/// a program's handler of SIGBUS needs to tell which file was cut.
const char* mapped_file_at(const void* address) noexcept;

}  // namespace shoal
