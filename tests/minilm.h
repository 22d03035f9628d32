#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace shoal {

/// Where the tests find all-MiniLM-L6-v2: $SHOAL_MODEL, else where `shoal model list` looks (cli/session.h).
inline std::filesystem::path minilm_folder() {
  const auto set = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value ? value : "");
  };
  if (const auto model = set("SHOAL_MODEL"); !model.empty()) return model;
  const std::string name = "all-MiniLM-L6-v2", models = set("SHOAL_MODELS"), data = set("XDG_DATA_HOME");
  if (!models.empty()) return std::filesystem::path(models) / name;
  const std::filesystem::path share = data.empty() ? set("HOME") + "/.local/share" : data;
  return share / "shoal/models" / name;
}

}  // namespace shoal
