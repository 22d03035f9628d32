#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "shoal/core/matrix.h"
#include "shoal/encode/model_folder.h"

namespace shoal {

/// The files beside the weights that a model's folder is copied with, as paths in that folder: small files of
/// configuration and tokenizer, its own and its modules'. No weights, no pictures of other programs, and no
/// page about the model.
std::vector<std::filesystem::path> files_beside_weights(const ModelFolder& model);

/// Copies them into the folder `to`. Where a config says that weights are of 16 bits, it says float32 now.
void copy_beside_weights(const ModelFolder& model, const std::filesystem::path& to);

/// Writes the weights of `from` to `to`/model.safetensors in float32, as transformers reads them. `value`: of
/// a tensor by its name without the prefix of a task's model; null: as it was. Tensors of other numbers than
/// floats are left out.
void write_weights(const std::filesystem::path& from, const std::filesystem::path& to,
                   const std::function<const Matrix*(const std::string& name)>& value);

}  // namespace shoal
