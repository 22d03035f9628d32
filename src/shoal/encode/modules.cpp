#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "shoal/core/error.h"
#include "shoal/encode/json_fields_impl.h"
#include "shoal/encode/modules_impl.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

ModuleEntry read_module(const fs::path& folder, const fs::path& file, std::size_t number, const json& line) {
  const std::string where = file.string() + ": module " + std::to_string(number);
  const JsonFields fields(where, line);
  const std::string type = fields.text("type");
  if (!type.starts_with("sentence_transformers."))
    fields.refuse("type", "shoal runs sentence-transformers' own modules and no code that a model brings");
  // Both generations end in the class: sentence_transformers.models.Pooling, and
  // sentence_transformers.sentence_transformer.modules.pooling.Pooling.
  const fs::path inner = fields.text("path", "");
  if (inner.native().find('\0') != std::string::npos) fields.fail("path", "it must not hold a zero byte");
  for (const fs::path& part : inner)
    if (part == ".." || inner.is_absolute()) fields.fail("path", "it must lie inside the model's folder");
  return {type.substr(type.rfind('.') + 1), inner.empty() ? folder : folder / inner, where + ", " + type};
}

/// Where a module reads and writes in sentence-transformers' dictionary of features.
void check_names(const JsonFields& config) {
  for (const char* field : {"module_input_name", "module_output_name"})
    if (config.text(field, "sentence_embedding") != "sentence_embedding")
      config.refuse(field, "shoal knows sentence_embedding only");
}

JsonFields read_config(const ModuleEntry& module) {
  const fs::path path = module.folder / "config.json";
  require(fs::exists(path), Fault::file, path.string() + ": missing (" + module.where + ")");
  return JsonFields::read(path);
}

PoolingMode mode_of(const JsonFields& config, const json& name) {
  static constexpr std::array<std::pair<std::string_view, PoolingMode>, 6> kModes = {
      {{"cls", PoolingMode::cls},
       {"mean", PoolingMode::mean},
       {"max", PoolingMode::max},
       {"mean_sqrt_len_tokens", PoolingMode::mean_sqrt_len_tokens},
       {"weightedmean", PoolingMode::weightedmean},
       {"lasttoken", PoolingMode::lasttoken}}};
  for (const auto& [known, mode] : kModes)
    if (name.is_string() && name.get_ref<const std::string&>() == known) return mode;
  config.refuse(
      "pooling_mode",
      "shoal pools by cls, mean, max, mean_sqrt_len_tokens, weightedmean, lasttoken, or a list of them");
}

/// The old flags stand side by side in this order, whatever their order in the file.
std::vector<PoolingMode> old_modes(const JsonFields& config) {
  static constexpr std::array<std::pair<std::string_view, PoolingMode>, 6> kFlags = {
      {{"pooling_mode_cls_token", PoolingMode::cls},
       {"pooling_mode_max_tokens", PoolingMode::max},
       {"pooling_mode_mean_tokens", PoolingMode::mean},
       {"pooling_mode_mean_sqrt_len_tokens", PoolingMode::mean_sqrt_len_tokens},
       {"pooling_mode_weightedmean_tokens", PoolingMode::weightedmean},
       {"pooling_mode_lasttoken", PoolingMode::lasttoken}}};
  std::vector<PoolingMode> modes;
  for (const auto& [field, mode] : kFlags)
    if (config.flag(field, false)) modes.push_back(mode);
  if (modes.empty()) modes.push_back(PoolingMode::mean);
  return modes;
}

Activation dense_activation(const JsonFields& config) {
  const std::string name = config.text("activation_function", "torch.nn.modules.activation.Tanh");
  static constexpr std::array<std::pair<std::string_view, Activation>, 5> kKnown = {
      {{"Identity", Activation::none},
       {"Tanh", Activation::tanh},
       {"ReLU", Activation::relu},
       {"GELU", Activation::gelu},
       {"SiLU", Activation::silu}}};
  if (name.starts_with("torch.nn."))
    for (const auto& [known, activation] : kKnown)
      if (name.substr(name.rfind('.') + 1) == known) return activation;
  config.refuse("activation_function", "shoal computes torch.nn's Identity, Tanh, ReLU, GELU and SiLU");
}

HeadStep read_dense(const ModuleEntry& module, Index dims) {
  constexpr Index kMostDims = Index{1} << 20;
  const JsonFields config = read_config(module);
  check_names(config);
  HeadStep step{.kind = StepKind::dense, .inputs = dims, .folder = module.folder};
  if (config.integer("in_features", 1, kMostDims) != dims)
    config.fail("in_features", "the step before it gives " + std::to_string(dims) + " numbers");
  step.outputs = config.integer("out_features", 1, kMostDims);
  step.bias = config.flag("bias", true);
  step.residual = config.flag("use_residual", false);
  step.activation = dense_activation(config);
  return step;
}

}  // namespace

std::vector<ModuleEntry> read_modules(const fs::path& folder) {
  const fs::path file = folder / "modules.json";
  const json lines = read_json(file);
  if (!lines.is_array() || lines.empty())
    throw Error(Fault::format,
                file.string() + ": must hold a list of modules, the first a Transformer or StaticEmbedding");
  std::vector<ModuleEntry> modules;
  for (std::size_t i = 0; i < lines.size(); ++i) modules.push_back(read_module(folder, file, i, lines[i]));
  return modules;
}

PoolingConfig read_pooling(const ModuleEntry& module, Index hidden) {
  const JsonFields config = read_config(module);
  for (const char* field : {"embedding_dimension", "word_embedding_dimension"})
    if (config.integer(field, 1, Index{1} << 20, hidden) != hidden)
      config.fail(field, "the transformer gives vectors of " + std::to_string(hidden) + " numbers");
  PoolingConfig out;
  out.folder = module.folder;
  out.include_prompt = config.flag("include_prompt", true);
  const json* mode = config.find("pooling_mode");
  if (!mode) {
    out.modes = old_modes(config);
  } else if (!mode->is_array()) {
    out.modes = {mode_of(config, *mode)};
  } else {
    constexpr std::size_t kMostModes = 16;
    if (mode->empty() || mode->size() > kMostModes)
      config.fail("pooling_mode", "a list must name 1 to 16 modes");
    out.modes.clear();
    for (const json& name : *mode) out.modes.push_back(mode_of(config, name));
  }
  return out;
}

HeadStep read_head_step(const ModuleEntry& module, Index dims) {
  if (module.kind == "Dense") return read_dense(module, dims);
  if (module.kind == "LayerNorm") {
    const JsonFields config = read_config(module);
    if (config.integer("dimension", 1, Index{1} << 20) != dims)
      config.fail("dimension", "the step before it gives " + std::to_string(dims) + " numbers");
    return {.kind = StepKind::layer_norm, .inputs = dims, .outputs = dims, .folder = module.folder};
  }
  if (module.kind == "Normalize") {
    if (fs::exists(module.folder / "config.json")) check_names(read_config(module));
    return {.kind = StepKind::normalize, .inputs = dims, .outputs = dims};
  }
  throw Error(Fault::unsupported,
              module.where + ": shoal runs Transformer, Pooling, Dense, LayerNorm, Dropout and Normalize");
}

}  // namespace shoal
