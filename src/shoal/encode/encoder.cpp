#include "shoal/encode/encoder.h"

#include <algorithm>

#include "shoal/core/error.h"
#include "shoal/encode/encoder_impl.h"
#include "shoal/encode/model_place.h"

namespace shoal {
namespace fs = std::filesystem;

Encoder Encoder::load(const fs::path& folder, const Run& run) {
  if (run.progress) run.progress("load model", 0, 1);
  std::string hash;
  TransformerModel model = TransformerModel::load(folder, run, hash);
  const std::string name = model_name(model.model.folder);
  const Space space{.id = name + "@" + hash, .dims = model.dims(), .unit = model.unit()};
  Encoder out;
  out.state_ = std::make_shared<const State>(State{name, space, std::move(model)});
  return out;
}

Rows Encoder::encode(const Texts& texts, Index first, Index count, const EncodeOptions& options,
                     const Run& run, EncodeCounts* counts) const {
  if (first > texts.size() || count > texts.size() - first)
    throw Error(Fault::argument, "texts " + std::to_string(first) + ".." + std::to_string(first + count) +
                                     " were asked for, of " + std::to_string(texts.size()));
  TextFates fates{.unknown = std::vector<std::uint8_t>(count)};
  Matrix result =
      std::visit([&](const auto& model) { return model.encode(texts, first, count, options, run, fates); },
                 state_->model);
  if (counts != nullptr) {
    const auto first_of = std::ranges::find(fates.unknown, 1);
    *counts = {.cut = fates.cut, .unknown = static_cast<Index>(std::ranges::count(fates.unknown, 1))};
    if (counts->unknown > 0)
      counts->first_unknown = first + static_cast<Index>(first_of - fates.unknown.begin());
  }
  return Rows(std::move(result), state_->space);
}

const Space& Encoder::space() const { return state_->space; }
const std::string& Encoder::name() const { return state_->name; }

Index Encoder::max_tokens() const {
  return std::visit([](const auto& model) { return model.max_tokens(); }, state_->model);
}

const Tokenizer& Encoder::tokenizer() const& { return std::get<TransformerModel>(state_->model).tokenizer; }

double Encoder::flops(Index tokens) const {
  return std::visit([&](const auto& model) { return model.flops(tokens); }, state_->model);
}

}  // namespace shoal
