#include "shoal/encode/model_folder.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "shoal/core/error.h"
#include "shoal/encode/json_fields_impl.h"
#include "shoal/encode/model_place.h"
#include "shoal/encode/modules_impl.h"
#include "shoal/encode/sequence_head.h"
#include "shoal/encode/weights.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;

constexpr Index kMostDims = Index{1} << 20;

/// The transformer's own small file has had many names. Empty if there is none.
fs::path find_sentence_config(const fs::path& folder) {
  for (const char* name : {"bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet"}) {
    const fs::path path = folder / ("sentence_" + std::string(name) + "_config.json");
    if (fs::exists(path)) return path;
  }
  return {};
}

/// The tokenizer's limit. Models without one say 10^30, so any size is allowed here.
std::optional<Index> tokenizer_limit(const fs::path& folder) {
  const fs::path path = folder / "tokenizer_config.json";
  if (!fs::exists(path)) return std::nullopt;
  const JsonFields config = JsonFields::read(path);
  if (config.text("truncation_side", "right") != "right")
    config.refuse("truncation_side", "shoal keeps the beginning of long texts");
  if (config.flag("split_special_tokens", false))
    config.refuse("split_special_tokens", "shoal takes special tokens in a text whole");
  const double limit =
      config.number(config.has("model_max_length") ? "model_max_length" : "max_len", 1, 1e300, 1e300);
  if (limit >= 1e9) return std::nullopt;
  return static_cast<Index>(limit);
}

/// What sentence-transformers calls the work of a transformer, and what it gives.
struct Task {
  const char *name, *output, *model_type;
};
constexpr Task kVectors = {"feature-extraction", "token_embeddings", "SentenceTransformer"};
constexpr Task kScores = {"sequence-classification", "scores", "CrossEncoder"};

void read_limit(ModelFolder& out, const Task& task, bool has_sentence_config) {
  std::optional<Index> limit = tokenizer_limit(out.transformer_folder);
  if (has_sentence_config) out.sentence_config = find_sentence_config(out.transformer_folder);
  if (!out.sentence_config.empty()) {
    const JsonFields config = JsonFields::read(out.sentence_config);
    if (config.text("transformer_task", task.name) != task.name)
      config.refuse("transformer_task", std::string("shoal runs ") + task.name + " here");
    if (config.text("module_output_name", task.output) != task.output)
      config.refuse("module_output_name", std::string("shoal takes ") + task.output + " here");
    if (const auto* extra = config.find("processing_kwargs"); extra && !extra->empty())
      config.refuse("processing_kwargs", "shoal tokenizes as tokenizer.json says");
    if (config.has("max_seq_length")) limit = config.integer("max_seq_length", 1, kMostDims);
    out.lower_case = config.flag("do_lower_case", false);
  }
  out.limit = std::min(limit.value_or(kMostDims), out.transformer.max_tokens());
}

void read_prompts(ModelFolder& out, const Task& task) {
  const fs::path path = out.folder / "config_sentence_transformers.json";
  if (!fs::exists(path)) return;
  const JsonFields config = JsonFields::read(path);
  if (config.text("model_type", task.model_type) != task.model_type)
    config.refuse("model_type", std::string("shoal runs models of type ") + task.model_type + " here");
  if (const auto* prompts = config.find("prompts")) {
    const JsonFields fields(path.string() + ": prompts", *prompts);
    for (const auto& item : prompts->items()) out.prompts[item.key()] = fields.text(item.key(), "");
  }
  if (config.has("default_prompt_name")) {
    out.default_prompt = config.text("default_prompt_name");
    if (!out.prompts.contains(*out.default_prompt))
      config.fail("default_prompt_name", "it must be the name of one of the prompts");
  }
  if (config.has("truncate_dim")) out.truncate = config.integer("truncate_dim", 1, kMostDims);
}

void read_steps(const std::vector<ModuleEntry>& modules, ModelFolder& out) {
  bool pooled = false;
  for (const ModuleEntry& module : modules) {
    if (module.kind == "Pooling" && !pooled) {
      out.pooling = read_pooling(module, out.transformer.hidden);
      out.dims = out.pooling.modes.size() * out.transformer.hidden;
      pooled = true;
    } else if (pooled && module.kind != "Dropout") {  // Dropout does nothing outside training
      out.head.push_back(read_head_step(module, out.dims));
      out.dims = out.head.back().outputs;
    } else if (module.kind != "Dropout") {
      throw Error(Fault::unsupported,
                  module.where + ": shoal needs Transformer, then Pooling, then other steps");
    }
  }
  if (!pooled) {
    throw Error(Fault::unsupported, (out.folder / "modules.json").string() +
                                        ": has no Pooling; vectors of tokens are no output of shoal");
  }
}

/// The transformer of a folder into `out`; returns the modules after it.
std::vector<ModuleEntry> read_transformer(const fs::path& given, ModelFolder& out) {  // out: out
  require(fs::is_directory(given), Fault::file,
          given.string() + ": no such model folder; a sentence-transformers folder is needed");
  const fs::path folder = model_place(given);
  out.folder = folder;
  out.transformer_folder = folder;
  std::vector<ModuleEntry> modules;
  if (fs::exists(folder / "modules.json")) {
    modules = read_modules(folder);
    if (modules.front().kind != "Transformer")
      throw Error(Fault::unsupported, modules.front().where +
                                          ": shoal runs models whose first module is a Transformer or a "
                                          "StaticEmbedding");
    out.transformer_folder = modules.front().folder;
    modules.erase(modules.begin());
  }
  check_model_files(out.transformer_folder);
  const fs::path config = out.transformer_folder / "config.json";
  require(fs::exists(config), Fault::file,
          config.string() + ": missing; is " + folder.string() + " a sentence-transformers folder?");
  out.transformer = read_transformer_config(config);
  return modules;
}

}  // namespace

bool is_model2vec(const fs::path& folder) {
  const fs::path path = folder / "config.json";
  if (!fs::exists(path)) return false;
  const JsonFields config = JsonFields::read(path);
  if (const nlohmann::json* type = config.find("model_type")) return *type == "model2vec";
  std::error_code failed;
  if (!fs::is_regular_file(folder / "model.safetensors", failed)) return false;
  try {
    return Weights(folder).has("embeddings");
  } catch (const Error&) {
    return false;  // whoever reads the weights will say why
  }
}

std::optional<fs::path> static_table_folder(const fs::path& given) {
  const fs::path folder = model_place(given);
  if (!fs::exists(folder / "modules.json"))
    return is_model2vec(folder) ? std::optional(folder) : std::nullopt;
  const ModuleEntry first = read_modules(folder).front();
  return first.kind == "StaticEmbedding" ? std::optional(first.folder) : std::nullopt;
}

ModelFolder read_static_folder(const fs::path& given, Index token_dims) {
  ModelFolder out;
  out.folder = model_place(given);
  out.transformer_folder = out.folder;
  out.dims = token_dims;
  std::vector<ModuleEntry> modules;
  if (fs::exists(out.folder / "modules.json")) {
    modules = read_modules(out.folder);
    out.transformer_folder = modules.front().folder;
  }
  for (Index i = 1; i < modules.size(); ++i) {
    if (modules[i].kind == "Dropout") continue;
    out.head.push_back(read_head_step(modules[i], out.dims));
    out.dims = out.head.back().outputs;
  }
  read_prompts(out, kVectors);
  return out;
}

ModelFolder read_model_folder(const fs::path& given, EncoderUse use) {
  ModelFolder out;
  const std::vector<ModuleEntry> modules = read_transformer(given, out);
  read_limit(out, kVectors, true);
  out.dims = out.transformer.hidden;
  if (use == EncoderUse::features) {
    out.pooling.modes = {PoolingMode::cls};
    out.head = {feature_step(out.transformer_folder, out.transformer)};
  } else if (fs::exists(out.folder / "modules.json")) {
    read_steps(modules, out);
  }
  read_prompts(out, kVectors);
  return out;
}

ModelFolder read_pair_folder(const fs::path& given, bool has_head) {
  ModelFolder out;
  const std::vector<ModuleEntry> modules = read_transformer(given, out);
  if (has_head && !modules.empty())
    throw Error(Fault::unsupported,
                modules.front().where + ": shoal runs cross-encoders whose only module is a Transformer");
  out.dims = out.transformer.hidden;
  // A folder without modules.json is read as transformers has it; so is one that gets a new head.
  const bool is_ours = has_head && fs::exists(out.folder / "modules.json");
  read_limit(out, kScores, is_ours);
  if (is_ours) read_prompts(out, kScores);
  return out;
}

}  // namespace shoal
