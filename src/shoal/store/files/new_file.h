#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>

namespace shoal {

/// A file in the making: written beside `path` as `.NAME.part` and given its name by `keep`, so that under
/// `path` there is always a whole file or what was there before. Without `keep` the part is removed. What a
/// killed process left behind is taken over by the next writer, so leftovers do not pile up.
class NewFile {
 public:
  /// Error(file) if the folder is missing or not writable, if `path` is a folder, pipe or device, or if
  /// another process is writing to it at this moment. A symbolic link is followed.
  explicit NewFile(const std::filesystem::path& path);
  ~NewFile();

  /// Removes what a killed writer of the finished file `path` has left. Nothing while another process writes
  /// it.
  static void clean_up(const std::filesystem::path& path);

  /// Error(argument) if `needed` is the file `path` itself, by this name or another (a link): it would be
  /// replaced.
  static void keep_off(const std::filesystem::path& path, const std::filesystem::path& needed);

  void write(std::span<const std::byte> bytes);  ///< Error(file) on a full disk
  void write(std::string_view text);
  /// Where the content is until `keep`.
  const std::filesystem::path& part() const;
  /// Syncs, renames, syncs the folder.
  void keep();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace shoal
