#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "shoal/encode/json_fields_impl.h"

namespace shoal {

/// The tokenizer.json that transformers would build from the vocab.txt in `folder` for the tokenizer class
/// `name`, one of BERT's kind, by the settings of tokenizer_config.json. Error(format) if a special token is
/// not in the vocabulary; Error(unsupported) for settings under which shoal would give other ids.
nlohmann::json tokenizer_of_vocabulary(const std::filesystem::path& folder, const JsonFields& settings,
                                       const std::string& name);

}  // namespace shoal
