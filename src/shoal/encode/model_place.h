#pragma once

#include <filesystem>
#include <string>

namespace shoal {

/// The folder with a model's files, given that folder or one of Hugging Face's cache: models--ORG--NAME, of
/// which the snapshot that refs/main names is taken (the only one, if there are no refs), or a folder above
/// with a single such model. Error(file) that lists them if there are several, and if the snapshot is not
/// there.
std::filesystem::path model_place(const std::filesystem::path& given);

/// What a model in `folder` is called: its name in Hugging Face's cache, else that of the folder.
std::string model_name(const std::filesystem::path& folder);

/// Error(unsupported) naming the weights and what to do, if `folder` holds weights only for other programs:
/// ONNX, TensorFlow, Flax, GGUF and others. Error(file) if config.json or weights are links to files that are
/// not there: a download that was not finished.
void check_model_files(const std::filesystem::path& folder);

}  // namespace shoal
