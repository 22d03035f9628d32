#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "shoal/store/collection/collection.h"

namespace shoal {

struct PictureOptions {
  std::filesystem::path path;   ///< .svg or .png
  std::string title;            ///< empty: the collection's name
  bool dark = false;            ///< on dark ground
  std::filesystem::path fonts;  ///< a folder of fonts to draw a .png with; empty: the system's
};

/// What could not be drawn as it is written.
struct PictureReport {
  bool no_fonts = false;  ///< none is installed: a .png has points and no text
  struct Missing {
    std::string script;   ///< of letters that no font has: "Devanagari"
    std::string letters;  ///< each once
    Index names = 0;      ///< of clusters and groups (the title counts as one) that have any of them
  };
  std::vector<Missing> missing;
  Index numbered = 0;  ///< names that are drawn as numbers, since hardly a letter of them was left
};

/// Error(argument) if the ending is none that can be written.
void check_picture(const std::filesystem::path& path);

/// Writes the map of a finished collection as a picture for print: SVG, or PNG of 3,200 pixels width. Letters
/// that no font has are left out of a PNG, never drawn as boxes; a name of which less than half is left is
/// drawn as its number ("cluster 12"). Equal collections, options and fonts give equal bytes. Errors as
/// above; Error(data) if the collection has no points yet.
PictureReport write_picture(const Collection& collection, const PictureOptions& options);

}  // namespace shoal
