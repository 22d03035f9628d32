#include "shoal/encode/model_place.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <optional>
#include <system_error>
#include <vector>

#include "shoal/core/error.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kOfHub = "models--";

bool is_hub_model(const fs::path& folder) {
  std::error_code ignored;
  return folder.filename().string().starts_with(kOfHub) && fs::is_directory(folder / "snapshots", ignored);
}

std::vector<fs::path> folders_in(const fs::path& folder) {
  std::vector<fs::path> out;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored))
    if (entry.is_directory(ignored)) out.push_back(entry.path());
  std::ranges::sort(out);
  return out;
}

std::string names_in(const std::vector<fs::path>& folders) {
  std::string out;
  for (const fs::path& folder : folders) out += (out.empty() ? "" : ", ") + folder.filename().string();
  return out;
}

/// The commit that refs/main names; empty if there is none.
std::string main_commit(const fs::path& model) {
  std::ifstream file(model / "refs" / "main");
  std::string commit;
  file >> commit;
  const bool is_name = !commit.empty() && commit.find('/') == std::string::npos && commit.front() != '.';
  return is_name ? commit : "";
}

fs::path snapshot_of(const fs::path& model) {
  const std::vector<fs::path> all = folders_in(model / "snapshots");
  const std::string commit = main_commit(model);
  if (!commit.empty()) {
    const fs::path wanted = model / "snapshots" / commit;
    require(fs::is_directory(wanted), Fault::file,
            wanted.string() + ": missing, though refs/main names it; download the model again");
    return wanted;
  }
  require(!all.empty(), Fault::file, model.string() + ": its snapshots are empty; download the model again");
  require(all.size() == 1, Fault::file,
          model.string() + " has several snapshots and no refs/main; give one of them: " + names_in(all));
  return all[0];
}

/// A folder that weights of other programs lie in, or the name or ending of such a file; whose they are; what
/// to do.
struct Foreign {
  std::string_view ending, program, cure;
};
constexpr std::string_view kAgain =
    "download the model with its model.safetensors or pytorch_model.bin; where a repository has none, take "
    "the model that "
    "it was made from";
constexpr std::array kForeign = {Foreign{".onnx", "ONNX", kAgain},
                                 Foreign{".gguf", "llama.cpp (GGUF)", kAgain},
                                 Foreign{"tf_model.h5", "TensorFlow",
                                         "transformers 4 converts it: AutoModel.from_pretrained(FOLDER, "
                                         "from_tf=True).save_pretrained(FOLDER)"},
                                 Foreign{"saved_model.pb", "TensorFlow", kAgain},
                                 Foreign{".ckpt.index", "TensorFlow", kAgain},
                                 Foreign{".tflite", "TensorFlow Lite", kAgain},
                                 Foreign{"flax_model.msgpack", "Flax",
                                         "transformers 4 converts it: AutoModel.from_pretrained(FOLDER, "
                                         "from_flax=True).save_pretrained(FOLDER)"},
                                 Foreign{"openvino_model.xml", "OpenVINO", kAgain},
                                 Foreign{".mlmodel", "Core ML", kAgain},
                                 Foreign{".mlpackage", "Core ML", kAgain},
                                 Foreign{"rust_model.ot", "rust-bert", kAgain},
                                 Foreign{".npz", "MLX", kAgain}};

struct Found {
  fs::path file;
  const Foreign* what;
};

/// The first file of another program in `folder` or right inside a folder of it.
std::optional<Found> find_foreign(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code ignored;
  const auto add = [&](const fs::path& in) {
    for (const auto& entry : fs::directory_iterator(in, ignored)) files.push_back(entry.path());
  };
  add(folder);
  for (const fs::path& inner : folders_in(folder)) add(inner);
  std::ranges::sort(files);
  for (const Foreign& one : kForeign)
    for (const fs::path& file : files)
      if (file.filename().string().ends_with(one.ending)) return Found{file, &one};
  return std::nullopt;
}

}  // namespace

fs::path model_place(const fs::path& given) {
  std::error_code ignored;
  if (!fs::is_directory(given, ignored)) return given;
  const fs::path whole = given.has_filename() ? given : given.parent_path();
  if (is_hub_model(whole)) return snapshot_of(whole);
  if (fs::exists(given / "config.json", ignored) || fs::exists(given / "modules.json", ignored)) return given;
  std::vector<fs::path> models;
  for (const fs::path& inner : folders_in(given))
    if (is_hub_model(inner)) models.push_back(inner);
  if (models.empty()) return given;
  require(models.size() == 1, Fault::file,
          given.string() + " holds several models; give the folder of one: " + names_in(models));
  return snapshot_of(models[0]);
}

std::string model_name(const fs::path& folder) {
  std::error_code ignored;
  const fs::path absolute = fs::absolute(folder, ignored).lexically_normal();
  for (fs::path at = absolute.has_filename() ? absolute : absolute.parent_path(); at.has_relative_path();
       at = at.parent_path()) {
    const std::string name = at.filename().string();
    if (is_hub_model(at)) return name.substr(name.rfind("--") + 2);
    if (at.parent_path() == at) break;
  }
  const fs::path whole = fs::weakly_canonical(folder, ignored);
  return (whole.has_filename() ? whole : whole.parent_path()).filename().string();
}

void check_model_files(const fs::path& folder) {
  std::error_code ignored;
  bool weights = false;
  for (const char* name :
       {"config.json", "modules.json", "tokenizer.json", "model.safetensors", "model.safetensors.index.json",
        "pytorch_model.bin", "pytorch_model.bin.index.json"}) {
    const fs::path file = folder / name;
    const bool there = fs::exists(file, ignored);
    require(there || !fs::is_symlink(fs::symlink_status(file, ignored)), Fault::file,
            file.string() + ": a link to a file that is not there; was the download finished?");
    weights = weights || (there && std::string_view(name).find("model.") != std::string_view::npos);
  }
  if (weights) return;
  if (const auto found = find_foreign(folder))
    throw Error(Fault::unsupported,
                folder.string() + ": its only weights, " + found->file.lexically_relative(folder).string() +
                    ", are for " + std::string(found->what->program) +
                    "; shoal reads safetensors and PyTorch's",
                std::string(found->what->cure));
}

}  // namespace shoal
