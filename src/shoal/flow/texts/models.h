#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "shoal/encode/encoder.h"

namespace shoal {

/// A model that `shoal model list` shows.
struct ModelEntry {
  std::string name;
  std::filesystem::path folder;
  std::string problem;  ///< why it cannot be used; empty: it can
  Index dims = 0;
  Index max_tokens = 0;
  std::string id;
};

/// The name used when no model is given.
inline constexpr const char* kDefaultModel = "all-MiniLM-L6-v2";

/// A folder if `model` is an existing path (a local path beats a name), else the model of that name in
/// `models_folder`. Error(file) that lists the names there are.
std::filesystem::path find_model(const std::string& model, const std::filesystem::path& models_folder);

/// All folders in `models_folder`, by name. Each is loaded: about 0.3 s a model of 90 MB.
std::vector<ModelEntry> list_models(const std::filesystem::path& models_folder);

/// Checks that `source` loads, then copies it to models_folder/name. Error(argument) if that name exists.
ModelEntry add_model(const std::filesystem::path& source, const std::string& name,
                     const std::filesystem::path& models_folder);

}  // namespace shoal
