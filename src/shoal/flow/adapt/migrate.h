#pragma once

#include <filesystem>
#include <string>

#include "shoal/adapt/space_map.h"
#include "shoal/core/fields.h"
#include "shoal/encode/encoder.h"

namespace shoal {

/// What `migrate` may be told.
struct MigrateOptions {
  std::filesystem::path old;            ///< a collection, whose model is to be replaced
  std::filesystem::path model;          ///< folder of the new one
  std::filesystem::path models_folder;  ///< where parts of an ensemble are looked up by name
  std::filesystem::path out;            ///< the map: one .safetensors
  bool overwrite = false;
  Index sample = 3000;  ///< texts embedded by the new model, at most
  EncodeOptions encode;
  SpaceMapOptions how;
};
template <class V>
void fields(MigrateOptions& o, V&& visit) {
  visit("sample", o.sample, "most texts that the new model embeds to learn from", at_least(50));
}

struct MigrateReport {
  Index rows = 0;        ///< of the collection
  Index sample = 0;      ///< of them embedded by both
  std::string from, to;  ///< ids of the models: the new one, the old one
  SpaceMapReport map;
};

/// Embeds a sample of the collection's texts by a new model and learns the map of its vectors into the old
/// space, by which the collection can be searched with the new model before all is embedded anew. Error(data)
/// if the collection has fewer than 50 texts; Error(argument) if both models are the same, or `out` exists.
MigrateReport migrate(const MigrateOptions& options, const Run& run);

}  // namespace shoal
