#pragma once

#include "shoal/flow/mapping/picture.h"
#include "verbs/verbs.h"

namespace shoal::cli {

/// --picture and --dark. The fonts of a .png are the system's, or those of the folder in SHOAL_FONTS.
struct PictureFlags {
  std::string file;
  bool dark = false;

  void add(CLI::App& verb);
  /// Before any work: Error(argument) for an ending that cannot be written, for a file inside the collection,
  /// or for --dark without --picture; Error(file) if there is no such folder.
  void check(const std::filesystem::path& collection) const;
  /// Draws the finished collection, says what could not be drawn, and returns what is said of it in JSON;
  /// null if none was asked for.
  nlohmann::ordered_json draw(const std::filesystem::path& collection, const std::string& title,
                              Session& session) const;
};

}  // namespace shoal::cli
