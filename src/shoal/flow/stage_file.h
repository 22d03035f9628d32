#pragma once

#include <filesystem>

#include "shoal/store/archive/archive.h"

namespace shoal {

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
