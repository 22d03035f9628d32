#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string_view>

namespace shoal {

/// By what a maker's own folders are known.
struct FolderMark {
  std::string_view file;           ///< a file of this name stands in them
  std::string_view says = {};      ///< with this text in its first 4 KiB; empty: with any
  std::string_view old_file = {};  ///< the name of the file in folders of older versions; empty: the same
};
bool has_mark(const std::filesystem::path& folder, const FolderMark& mark);

/// A folder in the making: built beside `path` as `.NAME.part` and given its name by `keep`, so that under
/// `path` there is always a whole folder or what was there before. Without `keep` it is removed with all that
/// is in it; what a killed process left behind is removed by the next maker.
class NewFolder {
 public:
  /// Error(argument) if something is at `path`, unless `overwrite` and it is a folder with the mark: no
  /// other is ever replaced. Error(file) if the parent is missing or not writable, or if another process is
  /// making the same folder.
  /// `files`: all names that the maker ever writes; a folder that holds another one is not replaced either.
  NewFolder(const std::filesystem::path& path, const FolderMark& mark, bool overwrite,
            std::span<const char* const> files);
  NewFolder(NewFolder&&) noexcept;
  ~NewFolder();

  /// Removes what a maker of the finished folder `path` that was killed has left beside it. Nothing while
  /// another process makes it.
  static void clean_up(const std::filesystem::path& path, const FolderMark& mark,
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
