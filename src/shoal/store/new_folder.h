#pragma once

#include <filesystem>
#include <memory>
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
  NewFolder(const std::filesystem::path& path, std::string_view mark, bool overwrite);
  NewFolder(NewFolder&&) noexcept;
  ~NewFolder();

  /// Where a file of the folder is to be written until `keep`.
  std::filesystem::path operator/(std::string_view name) const;
  const std::filesystem::path& path() const;  ///< where the folder will be
  /// Gives the folder its name. One that it replaces is removed then. Error(file).
  void keep();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace shoal
