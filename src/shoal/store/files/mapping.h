#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace shoal {

/// A file mapped read-only. Shareable through shared_ptr; unmapped when the last owner goes.
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
  std::span<const std::byte> bytes_;
};

}  // namespace shoal
