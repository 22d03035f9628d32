#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "shoal/core/run.h"
#include "shoal/encode/encoder.h"

namespace shoal {

/// A model that `shoal model list` shows.
struct ModelEntry {
  std::string name;
  ModelKind kind = ModelKind::transformer;
  std::filesystem::path folder;
  std::string problem;  ///< why it cannot be used; empty: it can
  Index dims = 0;
  Index max_tokens = 0;  ///< 0: no limit
  std::string id;
  bool unit = false;
  std::vector<std::string> prompts;
  std::vector<std::string> labels;   ///< of a cross-encoder, which scores pairs and has no kind, dims or unit
  std::optional<EnsemblePool> pool;  ///< of an ensemble, and so are its parts
  std::vector<ModelEntry> parts;     ///< their names, kinds, sizes, ids and weights
  double weight = 1;
};

/// The name used when no model is given.
inline constexpr const char* kDefaultModel = "all-MiniLM-L6-v2";

/// A folder if `model` is an existing path (a local path beats a name), else the model of that name in
/// `models_folder`. Error(file) that lists the names there are.
std::filesystem::path find_model(const std::string& model, const std::filesystem::path& models_folder);

/// The model called so, loaded: parts of an ensemble are looked up in `models_folder` too.
Encoder load_model(const std::string& model, const std::filesystem::path& models_folder, const Run& run,
                   EncoderUse use = EncoderUse::sentence);

/// What there is to know of the model called so. Errors as load_model, or as CrossEncoder::load.
ModelEntry show_model(const std::string& model, const std::filesystem::path& models_folder);

/// All folders in `models_folder`, by name. Each is loaded: about 0.3 s a model of 90 MB.
std::vector<ModelEntry> list_models(const std::filesystem::path& models_folder);

/// Checks that `source` loads, then copies it to models_folder/name. Parts of an ensemble stay where they
/// are. Error(argument) if that name exists.
ModelEntry add_model(const std::filesystem::path& source, const std::string& name,
                     const std::filesystem::path& models_folder);

}  // namespace shoal
