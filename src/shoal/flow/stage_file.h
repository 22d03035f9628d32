#pragma once

#include <filesystem>

#include "shoal/store/archive/archive.h"

namespace shoal {

/// The result (labels of the rows) and the file (the stage) of a collection whose map is neutral to
/// something.
inline constexpr const char* kNeutralGroups = "neutral";
inline constexpr const char* kNeutralFile = "neutral.safetensors";

/// A fitted stage as an archive of its own.
template <class Stage>
void save_stage(const Stage& stage, const std::filesystem::path& path) {
  ArchiveWriter out(Stage::kind);
  stage.save(out);
  out.write(path);
}

template <class Stage>
Stage load_stage(const std::filesystem::path& path) {
  return Stage::load(ArchiveReader(path));
}

}  // namespace shoal
