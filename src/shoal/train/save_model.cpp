#include "shoal/train/save_model.h"

#include <algorithm>
#include <array>
#include <deque>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string_view>

#include "shoal/core/error.h"
#include "shoal/encode/modules_impl.h"
#include "shoal/encode/weights.h"
#include "shoal/store/archive/archive.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;

/// What says how a model is built and how its tokenizer works; not weights, nor how it was made, nor what
/// else lies there.
bool is_description(const std::string& name) {
  static constexpr std::array<std::string_view, 5> kEndings = {".json", ".txt", ".model", ".codes", ".vocab"};
  return !name.starts_with(".") && !name.starts_with("training.") && name != "distil.json" &&
         !name.ends_with(".index.json") &&
         std::ranges::any_of(kEndings, [&](std::string_view ending) { return name.ends_with(ending); });
}

void add_files(const fs::path& root, const fs::path& folder, std::vector<fs::path>& out) {
  if (!fs::is_directory(folder)) return;
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.is_regular_file() && is_description(entry.path().filename().string()))
      found.push_back(fs::relative(entry.path(), root));
  std::ranges::sort(found);
  for (fs::path& file : found)
    if (std::ranges::find(out, file) == out.end()) out.push_back(std::move(file));
}

}  // namespace

std::vector<fs::path> files_beside_weights(const ModelFolder& model) {
  std::vector<fs::path> out;
  add_files(model.folder, model.folder, out);
  if (fs::exists(model.folder / "modules.json"))
    for (const ModuleEntry& module : read_modules(model.folder)) add_files(model.folder, module.folder, out);
  return out;
}

void copy_beside_weights(const ModelFolder& model, const fs::path& to) {
  for (const fs::path& file : files_beside_weights(model)) {
    const fs::path target = to / file;
    std::error_code failed;
    fs::create_directories(target.parent_path(), failed);
    std::string content = read_file(model.folder / file, std::size_t{1} << 30);
    if (file.filename() == "config.json") {
      auto config = nlohmann::ordered_json::parse(content, nullptr, false);
      bool changed = false;
      for (const char* type : {"dtype", "torch_dtype", "embedding_dtype"})
        if (config.is_object() && config.contains(type) && config[type] != "float32") {
          config[type] = "float32";
          changed = true;
        }
      if (changed) content = config.dump(2) + "\n";
    }
    write_file(target, content);
  }
}

void write_weights(const fs::path& from, const fs::path& to,
                   const std::function<const Matrix*(const std::string& name)>& value) {
  Weights weights(from);
  weights.find_prefix();
  const std::string& prefix = weights.prefix();
  ArchiveWriter out("weights");
  out.meta("format", "pt");  // transformers asks for it
  std::deque<std::vector<float>> kept;
  weights.for_each([&](const std::string& name, const Tensor& tensor, const ArchiveReader& file) {
    const bool floats = tensor.type == TensorType::f64 || tensor.type == TensorType::f32 ||
                        tensor.type == TensorType::f16 || tensor.type == TensorType::bf16;
    if (!floats) return;
    const bool own = name.starts_with(prefix);
    if (const Matrix* const now = own ? value(name.substr(prefix.size())) : nullptr) {
      out.lend(name, now->view(), tensor.shape);
      return;
    }
    kept.push_back(file.floats(name, tensor.count()));
    out.lend(name, {kept.back().data(), 1, kept.back().size(), kept.back().size()}, tensor.shape);
  });
  std::error_code ignored;
  fs::create_directories(to, ignored);
  out.write(to / "model.safetensors");
}

}  // namespace shoal
