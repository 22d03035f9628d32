#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "shoal/core/matrix.h"
#include "shoal/store/archive/archive.h"

namespace shoal {

/// A tensor whose shape is known before its numbers are.
struct TensorPlan {
  std::string name;
  TensorType type = TensorType::f32;
  std::vector<Index> shape;
};

/// A safetensors file that is larger than memory should be: its tensors are planned, then written piece by
/// piece in any order. It is changed in place, so nobody else may read it yet: give it a name of its own
/// until it is whole.
class ArchiveFile {
 public:
  /// Creates `path` with zeros in every tensor. If `go_on`, a file that has the same tensors and metadata is
  /// kept with what is in it; else what was there is removed, if it is an archive of the same kind:
  /// Error(argument) if it is anything else. A new one is as private as `like`, if that is
  /// there. meta: whose metadata it gets. Error(file) while another process has it.
  ArchiveFile(const std::filesystem::path& path, const ArchiveWriter& meta,
              const std::vector<TensorPlan>& plan, bool go_on = false,
              const std::filesystem::path& like = {});
  ArchiveFile(ArchiveFile&&) noexcept;
  ~ArchiveFile();

  bool kept() const;  ///< it goes on with an earlier one
  /// Writes at byte `offset` of a tensor. From one thread at a time. Error(argument) for a tensor that is not
  /// there or bytes beyond its end; Error(file) on a full disk.
  void write(std::string_view tensor, std::uint64_t offset, std::span<const std::byte> bytes);
  template <class T>
  void write(std::string_view tensor, Index first, std::span<const T> numbers) {
    write(tensor, std::uint64_t{first} * sizeof(T), std::as_bytes(numbers));
  }
  /// Everything written is on disk when this returns.
  void commit();
  /// Commits, and gives the file the name `whole`. What was there goes, but readers keep what they have open.
  void keep_as(const std::filesystem::path& whole);
  const std::filesystem::path& path() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace shoal
