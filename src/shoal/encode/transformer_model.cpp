#include <algorithm>
#include <optional>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/encode/encoder_impl.h"

namespace shoal {
namespace fs = std::filesystem;

void check_vocabulary(const ModelFolder& model, const Tokenizer& tokenizer) {
  if (tokenizer.vocabulary() > model.transformer.vocabulary)
    throw Error(Fault::format, (model.transformer_folder / "tokenizer.json").string() + ": knows " +
                                   std::to_string(tokenizer.vocabulary()) +
                                   " tokens, but config.json's vocab_size is " +
                                   std::to_string(model.transformer.vocabulary));
}

std::vector<fs::path> small_files(const ModelFolder& model) {
  std::vector<fs::path> out;
  const auto add = [&](const fs::path& path) {
    if (fs::exists(path) && std::find(out.begin(), out.end(), path) == out.end()) out.push_back(path);
  };
  for (const char* name : {"modules.json", "config_sentence_transformers.json"}) add(model.folder / name);
  if (!model.pooling.folder.empty()) add(model.pooling.folder / "config.json");
  for (const HeadStep& step : model.head)
    if (!step.folder.empty() && step.folder != model.transformer_folder) add(step.folder / "config.json");
  add(model.transformer_folder / "config.json");
  add(model.sentence_config);
  add(model.transformer_folder / "tokenizer_config.json");
  add(model.transformer_folder / "tokenizer.json");
  if (!fs::exists(model.transformer_folder / "tokenizer.json"))
    for (const char* name : {"vocab.txt", "special_tokens_map.json", "added_tokens.json"})
      add(model.transformer_folder / name);
  return out;
}

bool TransformerModel::unit() const {
  return !model.head.empty() && model.head.back().kind == StepKind::normalize &&
         model.truncate.value_or(model.dims) >= model.dims;
}

Index TransformerModel::dims() const { return std::min(model.truncate.value_or(model.dims), model.dims); }

TransformerModel TransformerModel::load(const fs::path& folder, const Run& run, std::string& id,
                                        EncoderUse use) {
  ModelFolder model = read_model_folder(folder, use);
  const Weights weights(model.transformer_folder);
  AfterPooling head = AfterPooling::load(model.head);
  std::vector<fs::path> files = small_files(model);
  files.insert(files.end(), weights.files().begin(), weights.files().end());
  for (const fs::path& file : head.files())
    if (std::ranges::find(files, file) == files.end()) files.push_back(file);

  // The long parts at once: tokenizer, network, and the hash block by block. Of faults that of the first is
  // told.
  FilesHash hash(std::move(files));
  std::optional<Tokenizer> tokenizer;
  std::optional<BertNetwork> transformer;
  const auto load_part = [&](Index part) {
    if (part == 0) {
      tokenizer = load_tokenizer(model);
      check_vocabulary(model, *tokenizer);
      make_plan(*tokenizer, model, {});  // whether anything fits beside special tokens and the default prompt
    } else if (part == 1) {
      transformer = BertNetwork::load(model.transformer, weights);
    } else {
      hash.hash(part - 2);
    }
  };
  for_chunks(run.quiet(), 2 + hash.blocks(), 1, [&](Index part, Index, Index) { load_part(part); });

  id = hash.finish();
  return {std::move(model), std::move(*tokenizer), std::move(*transformer), std::move(head)};
}

double TransformerModel::flops(Index tokens) const {
  const BertConfig& c = model.transformer;
  const double a_layer = 4.0 * c.hidden * c.hidden + 2.0 * c.hidden * c.inner;
  return 2.0 * static_cast<double>(tokens) * static_cast<double>(c.layers) * a_layer;
}

}  // namespace shoal
