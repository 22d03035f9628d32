#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string_view>

namespace shoal {

/// A folder in the making: built beside `path` as `.NAME.part` and given its name by `keep`, so that under
/// `path` there is always a whole folder or what was there before. Without `keep` it is removed with all that
/// is in it; what a killed process left behind is removed by the next maker.
class NewFolder {
 public:
  /// Error(argument) if something is at `path`, unless `overwrite` and it is a folder that holds a file named
  /// `mark`: by that the maker's own folders are known, and no other is ever replaced. Error(file) if the
  /// parent is missing or not writable, or if another process is making the same folder.
  /// `files`: all names that the maker ever writes; a folder that holds another one is not replaced either.
  /// `old_mark`: the mark of folders that older versions of the maker made.
  NewFolder(const std::filesystem::path& path, std::string_view mark, bool overwrite,
            std::span<const char* const> files, std::string_view old_mark = {});
  NewFolder(NewFolder&&) noexcept;
  ~NewFolder();

  /// Removes what a maker of the finished folder `path` that was killed has left beside it. Nothing while
  /// another process makes it.
  static void clean_up(const std::filesystem::path& path, std::string_view mark,
                       std::span<const char* const> files);
  /// Where a file of the folder is to be written until `keep`.
  std::filesystem::path operator/(std::string_view name) const;
  const std::filesystem::path& path() const;  ///< where the folder will be
  /// Error(argument) if `needed` is, or lies in, the folder that would be replaced.
  void keep_off(const std::filesystem::path& needed) const;
  /// Gives the folder its name. One that it replaces is removed then. Error(file).
  void keep();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace shoal
