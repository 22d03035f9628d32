#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "shoal/encode/model_folder.h"

namespace shoal {

/// One line of modules.json.
struct ModuleEntry {
  std::string kind;              ///< last component of its type: "Pooling"
  std::filesystem::path folder;  ///< its own folder
  std::string where;             ///< "FILE: module 1, TYPE", for messages
};

/// The modules in order, at least one. Error(unsupported) naming a type that is not one of
/// sentence-transformers' own.
std::vector<ModuleEntry> read_modules(const std::filesystem::path& folder);

/// config.json of a Pooling, old and new. Error(format) unless it pools vectors of `hidden` numbers.
PoolingConfig read_pooling(const ModuleEntry& module, Index hidden);

/// Dense, LayerNorm or Normalize after vectors of `dims` numbers. Error(unsupported) for any other module.
HeadStep read_head_step(const ModuleEntry& module, Index dims);

}  // namespace shoal
