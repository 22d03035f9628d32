#include "shoal/encode/encoder.h"

#include <algorithm>
#include <span>

#include "shoal/core/error.h"
#include "shoal/encode/encoder_impl.h"
#include "shoal/encode/ensemble_folder.h"
#include "shoal/encode/model_place.h"
#include "shoal/store/archive/archive.h"

namespace shoal {
namespace fs = std::filesystem;
namespace {

std::vector<std::string> names_in(const ModelFolder& model) {
  std::vector<std::string> out;
  for (const auto& item : model.prompts) out.push_back(item.first);
  return out;
}

EncodeCounts counts_of(const TextFates& fates, Index first) {
  EncodeCounts out{.cut = fates.cut, .unknown = static_cast<Index>(std::ranges::count(fates.unknown, 1))};
  const auto at = std::ranges::find(fates.unknown, 1);
  if (out.unknown > 0) out.first_unknown = first + static_cast<Index>(at - fates.unknown.begin());
  return out;
}

const EnsembleModel& ensemble_in(const auto& model) {
  const auto* ensemble = std::get_if<EnsembleModel>(&model);
  require(ensemble != nullptr, Fault::argument, "the model is no ensemble: it has no parts");
  return *ensemble;
}

}  // namespace

Encoder Encoder::State::load_features(const fs::path& folder, const Run& run) {
  std::string hash;
  TransformerModel model = TransformerModel::load(folder, run, hash, EncoderUse::features);
  std::string name = model_name(model.model.folder) + ".features";
  // Another space than that of the same files' sentence vectors.
  hash += " features";
  hash = sha256(std::as_bytes(std::span<const char>(hash))).substr(0, 16);
  return of(std::move(name), hash, std::move(model));
}

Encoder Encoder::State::load(const fs::path& folder, const fs::path& models_folder, const Run& run,
                             Index depth) {
  if (is_ensemble(folder)) return load_ensemble(folder, models_folder, run, depth);
  std::string hash;
  if (static_table_folder(folder)) {
    TokenVectors model = TokenVectors::load(folder, run, hash);
    std::string name = model_name(model.model().folder);
    return of(std::move(name), hash, std::move(model));
  }
  TransformerModel model = TransformerModel::load(folder, run, hash);
  std::string name = model_name(model.model.folder);
  return of(std::move(name), hash, std::move(model));
}

Encoder Encoder::load(const fs::path& folder, const Run& run, const fs::path& models_folder, EncoderUse use) {
  if (run.progress) run.progress("load model", 0, 1);
  if (use == EncoderUse::features) return State::load_features(folder, run);
  return State::load(folder, models_folder, run, 0);
}

Rows Encoder::encode(const Texts& texts, Index first, Index count, const EncodeOptions& options,
                     const Run& run, EncodeCounts* counts) const {
  if (first > texts.size() || count > texts.size() - first)
    throw Error(Fault::argument, "texts " + std::to_string(first) + ".." + std::to_string(first + count) +
                                     " were asked for, of " + std::to_string(texts.size()));
  TextFates fates{.cut = 0, .unknown = std::vector<std::uint8_t>(count)};
  Matrix result = state_->encode(texts, first, count, options, run, fates);
  if (counts != nullptr) *counts = counts_of(fates, first);
  return Rows(std::move(result), state_->space);
}

std::vector<Rows> Encoder::encode_parts(const Texts& texts, const EncodeOptions& options, const Run& run,
                                        EncodeCounts* counts) const {
  const auto& ensemble = ensemble_in(state_->model);
  TextFates fates{.cut = 0, .unknown = std::vector<std::uint8_t>(texts.size())};
  auto found = ensemble.encode_parts(texts, 0, texts.size(), options, run, fates);
  if (counts != nullptr) *counts = counts_of(fates, 0);
  std::vector<Rows> out;
  for (Index p = 0; p < found.size(); ++p)
    out.emplace_back(std::move(found[p]), ensemble.parts[p].encoder.space());
  return out;
}

Rows Encoder::pooled(const std::vector<Rows>& parts) const {
  const auto& ensemble = ensemble_in(state_->model);
  bool fits = parts.size() == ensemble.parts.size();
  for (Index p = 0; fits && p < parts.size(); ++p)
    fits = parts[p].space() == ensemble.parts[p].encoder.space() && parts[p].rows() == parts[0].rows();
  require(fits, Fault::argument, "the vectors to pool are not those of the parts of " + state_->name);
  std::vector<Matrix> rows;
  for (const Rows& part : parts) rows.push_back(part.to_matrix());
  return Rows(ensemble.pooled(std::move(rows)), state_->space);
}

const Space& Encoder::space() const { return state_->space; }
const std::string& Encoder::name() const { return state_->name; }
ModelKind Encoder::kind() const { return static_cast<ModelKind>(state_->model.index()); }

Index Encoder::max_tokens() const {
  return std::visit([](const auto& model) { return model.max_tokens(); }, state_->model);
}

std::vector<std::string> Encoder::prompts() const {
  struct Of {
    std::vector<std::string> operator()(const TransformerModel& m) const { return names_in(m.model); }
    std::vector<std::string> operator()(const TokenVectors& m) const { return names_in(m.model()); }
    std::vector<std::string> operator()(const TfidfModel&) const { return {}; }
    std::vector<std::string> operator()(const EnsembleModel& m) const { return m.prompts(); }
  };
  return std::visit(Of(), state_->model);
}

std::string Encoder::prompt_text(const std::optional<std::string>& name) const {
  const auto in = [&](const ModelFolder& model) {
    const auto& chosen = name ? name : model.default_prompt;
    const auto found = chosen ? model.prompts.find(*chosen) : model.prompts.end();
    return found == model.prompts.end() ? std::string() : found->second;
  };
  if (const auto* model = std::get_if<TransformerModel>(&state_->model)) return in(model->model);
  if (const auto* model = std::get_if<TokenVectors>(&state_->model)) return in(model->model());
  std::string out;
  for (const EncoderPart& part : parts()) out += part.encoder.prompt_text(name);
  return out;
}

const Tokenizer* Encoder::tokenizer() const& {
  struct Of {
    const Tokenizer* operator()(const TransformerModel& m) const { return &m.tokenizer; }
    const Tokenizer* operator()(const TokenVectors& m) const { return &m.tokenizer(); }
    const Tokenizer* operator()(const TfidfModel&) const { return nullptr; }
    const Tokenizer* operator()(const EnsembleModel& m) const { return m.tokenizer(); }
  };
  return std::visit(Of(), state_->model);
}

const std::vector<EncoderPart>& Encoder::parts() const& {
  static const std::vector<EncoderPart> none;
  const auto* ensemble = std::get_if<EnsembleModel>(&state_->model);
  return ensemble ? ensemble->parts : none;
}

std::optional<EnsemblePool> Encoder::pool() const {
  const auto* ensemble = std::get_if<EnsembleModel>(&state_->model);
  return ensemble ? std::optional(ensemble->pool) : std::nullopt;
}

double Encoder::flops(Index tokens) const {
  return std::visit([&](const auto& model) { return model.flops(tokens); }, state_->model);
}

}  // namespace shoal
