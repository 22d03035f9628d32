#include "shoal/flow/texts/models.h"

#include <algorithm>

#include "shoal/core/error.h"
#include "shoal/encode/cross_encoder.h"
#include "shoal/encode/cross_folder.h"
#include "shoal/encode/ensemble_folder.h"
#include "shoal/encode/model_place.h"

namespace shoal {
namespace fs = std::filesystem;
namespace {

std::vector<fs::path> model_folders(const fs::path& models_folder) {
  std::vector<fs::path> out;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(models_folder, ignored)) {
    // A name that starts with a dot is a copy that was interrupted.
    if (entry.is_directory() && entry.path().filename().string().front() != '.') out.push_back(entry.path());
  }
  std::ranges::sort(out);
  return out;
}

ModelEntry entry_of(const Encoder& encoder) {
  ModelEntry entry{.name = encoder.name(), .kind = encoder.kind()};
  entry.dims = encoder.space().dims;
  entry.max_tokens = encoder.max_tokens();
  entry.id = encoder.space().id;
  entry.unit = encoder.space().unit;
  entry.prompts = encoder.prompts();
  entry.pool = encoder.pool();
  for (const EncoderPart& part : encoder.parts()) {
    entry.parts.push_back(entry_of(part.encoder));
    entry.parts.back().name = part.name;
    entry.parts.back().weight = part.weight;
  }
  return entry;
}

/// Whether it is there to score pairs. A classifier of several labels, of texts or of pairs, is listed as the
/// encoder that it can be used as too.
bool is_judge(const fs::path& folder) {
  if (!is_cross_folder(folder)) return false;
  try {
    return fs::exists(folder / "modules.json") || read_cross_folder(folder).labels.size() == 1;
  } catch (const Error&) {
    return false;
  }
}

/// Error as Encoder::load or CrossEncoder::load.
ModelEntry entry_of(const fs::path& folder, const fs::path& models_folder) {
  ModelEntry entry;
  if (is_judge(folder)) {
    const CrossEncoder judge = CrossEncoder::load(folder);
    entry.name = judge.name();
    entry.labels = judge.labels();
    entry.max_tokens = judge.max_tokens();
    entry.id = judge.id();
    entry.prompts = judge.prompts();
  } else {
    entry = entry_of(Encoder::load(folder, {}, models_folder));
  }
  entry.folder = folder;
  return entry;
}

ModelEntry describe(const fs::path& folder, const fs::path& models_folder) {
  ModelEntry entry;
  try {
    entry = entry_of(folder, models_folder);
  } catch (const Error& e) {
    entry.problem = e.what();
  }
  entry.name = folder.filename().string();
  entry.folder = folder;
  return entry;
}

}  // namespace

fs::path find_model(const std::string& model, const fs::path& models_folder) {
  if (fs::is_directory(model)) return model;
  const fs::path named = models_folder / model;
  if (!model.empty() && model != "." && model != ".." && fs::is_directory(named)) return named;
  std::string known;
  for (const fs::path& folder : model_folders(models_folder))
    known += (known.empty() ? "" : ", ") + folder.filename().string();
  throw Error(Fault::file,
              "no model '" + model + "': it is neither a folder nor a name in " + models_folder.string() +
                  (known.empty() ? " (which holds none yet; add one with 'shoal model add FOLDER')"
                                 : " (which holds: " + known + ")"));
}

Encoder load_model(const std::string& model, const fs::path& models_folder, const Run& run, EncoderUse use) {
  return Encoder::load(find_model(model, models_folder), run, models_folder, use);
}

ModelEntry show_model(const std::string& model, const fs::path& models_folder) {
  return entry_of(find_model(model, models_folder), models_folder);
}

std::vector<ModelEntry> list_models(const fs::path& models_folder) {
  std::vector<ModelEntry> out;
  for (const fs::path& folder : model_folders(models_folder)) out.push_back(describe(folder, models_folder));
  return out;
}

ModelEntry add_model(const fs::path& source, const std::string& name, const fs::path& models_folder) {
  require(fs::is_directory(source), Fault::file, source.string() + " is not a folder");
  const fs::path place = model_place(source);
  const std::string chosen = !name.empty() ? name : model_name(place);
  require(chosen.find('/') == std::string::npos && chosen.front() != '.', Fault::argument,
          "'" + chosen + "' is not a good name for a model: no slash, no dot in front (" +
              option_name("name") + " NAME)");
  const fs::path target = models_folder / chosen;
  require(!fs::exists(target), Fault::argument,
          "a model '" + chosen + "' exists in " + models_folder.string() + "; choose another with " +
              option_name("name"));
  entry_of(source, models_folder);  // whatever is wrong with it is said before anything is copied
  const fs::path partial = models_folder / ("." + chosen + ".partial");
  try {
    fs::create_directories(models_folder);
    fs::remove_all(partial);
    fs::copy(place, partial, fs::copy_options::recursive);
    if (is_ensemble(partial)) move_ensemble(place, partial, target);
    fs::rename(partial, target);
  } catch (const fs::filesystem_error& e) {
    std::error_code ignored;
    fs::remove_all(partial, ignored);
    throw Error(Fault::file, "cannot copy the model to " + target.string() + ": " + e.code().message());
  }
  return describe(target, models_folder);
}

}  // namespace shoal
