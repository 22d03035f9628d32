#include <algorithm>
#include <optional>

#include "shoal/core/error.h"
#include "shoal/core/names.h"
#include "shoal/encode/encoder_impl.h"
#include "shoal/encode/ensemble_folder.h"
#include "shoal/encode/model_place.h"
#include "shoal/kernels/kernels.h"
#include "shoal/linear/norms.h"
#include "shoal/store/archive/archive.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;

constexpr Index kMostDepth = 8;  // ensembles of ensembles

/// Where a part's model may be, the likeliest first.
std::vector<fs::path> places_of(const EnsemblePart& part, const fs::path& folder,
                                const fs::path& models_folder) {
  std::vector<fs::path> out{folder / part.path};  // an absolute path stays what it is
  const fs::path name = fs::path(part.id.substr(0, part.id.find('@')));
  if (!name.empty() && !name.has_parent_path() && name != "..") {
    std::error_code ignored;
    const fs::path whole = fs::weakly_canonical(folder, ignored);
    out.push_back((whole.has_filename() ? whole : whole.parent_path()).parent_path() / name);
    if (!models_folder.empty()) out.push_back(models_folder / name);
  }
  return out;
}

/// The part's model by `load`, from the first place where it is what it was.
template <class Load>
auto load_part(const EnsemblePart& part, const fs::path& folder, const fs::path& models_folder,
               const Load& load) {
  const fs::path file = folder / kEnsembleMark;
  const std::string what = file.string() + ": its part " + part.name;
  std::error_code ignored;
  std::optional<Error> first;
  for (const fs::path& place : places_of(part, folder, models_folder)) {
    if (!fs::is_directory(place, ignored)) continue;
    try {
      auto [model, id] = load(place);
      if (model_of(id) == model_of(part.id)) return std::pair(std::move(model), id);
      throw Error(
          Fault::format,
          what + " is " + id + " in " + place.string() + " now; the ensemble was made with " + part.id,
          "give back the model that it was made with, or make the ensemble again");
    } catch (const Error& e) {
      if (e.fault == Fault::cancelled) throw;
      if (!first) first = e;
    }
  }
  if (first) throw *first;
  throw Error(Fault::file,
              what + ", " + part.id + ", is not in " + (folder / part.path).lexically_normal().string() +
                  ", nor beside the ensemble, nor among the models by name",
              "'shoal model add' puts a model among them");
}

std::string checked_hash(const fs::path& file, const std::string& hash, const fs::path& folder,
                         const Run& run) {
  require(fs::exists(file), Fault::file,
          file.string() + ": missing; " + (folder / kEnsembleMark).string() + " names it");
  std::string found = FilesHash::of({file}, run);
  if (found != hash)
    throw Error(
        Fault::format,
        file.string() + " was changed: its hash is " + found + ", and " + kEnsembleMark + " says " + hash,
        "make the ensemble again");
  return found;
}

/// The options as one part takes them.
EncodeOptions options_of(const EncodeOptions& given, const Encoder& part) {
  EncodeOptions out = given;
  if (given.prompt) {
    const auto prompts = part.prompts();
    if (std::ranges::find(prompts, *given.prompt) == prompts.end()) out.prompt.reset();
  }
  if (const Index most = part.max_tokens(); given.max_tokens && most > 0 && *given.max_tokens > most)
    out.max_tokens = most;
  return out;
}

}  // namespace

Index EnsembleModel::dims() const {
  if (!mean.empty()) return map.outputs();
  Index out = 0;
  for (const EncoderPart& part : parts) out += part.encoder.space().dims;
  return out;
}

Index EnsembleModel::max_tokens() const {
  Index out = 0;
  for (const EncoderPart& part : parts) out = std::max(out, part.encoder.max_tokens());
  return out;
}

double EnsembleModel::flops(Index tokens) const {
  double out = 0;
  for (const EncoderPart& part : parts) out += part.encoder.flops(tokens);
  return out;
}

const Tokenizer* EnsembleModel::tokenizer() const {
  for (const EncoderPart& part : parts)
    if (const Tokenizer* found = part.encoder.tokenizer()) return found;
  return nullptr;
}

std::vector<std::string> EnsembleModel::prompts() const {
  std::vector<std::string> out;
  for (const EncoderPart& part : parts)
    for (const std::string& name : part.encoder.prompts())
      if (std::ranges::find(out, name) == out.end()) out.push_back(name);
  return out;
}

void EnsembleModel::check(const EncodeOptions& options) const {
  if (options.prompt) {
    const auto known = prompts();
    std::string list;
    for (const std::string& name : known) list += (list.empty() ? "" : ", ") + name;
    require(std::ranges::find(known, *options.prompt) != known.end(), Fault::argument,
            option_name("prompt") + " is " + *options.prompt + "; the parts of the model have " +
                (known.empty() ? "no prompts" : "the prompts " + list));
  }
  if (const Index most = max_tokens(); options.max_tokens && most > 0)
    require(*options.max_tokens >= 1 && *options.max_tokens <= most, Fault::argument,
            option_name("max_tokens") + " is " + std::to_string(*options.max_tokens) +
                "; allowed for this model: 1.." + std::to_string(most));
}

std::vector<Matrix> EnsembleModel::encode_parts(const Texts& texts, Index first, Index count,
                                                const EncodeOptions& options, const Run& run,
                                                TextFates& fates) const {
  check(options);
  std::vector<Matrix> out;
  fates.unknown.assign(count, 1);
  for (const EncoderPart& part : parts) {
    Run inner = run;
    if (run.progress)
      inner.progress = [&, number = out.size()](std::string_view step, double done, double total) {
        if (total > 0)
          run.progress(step, static_cast<double>(number) + done / total, static_cast<double>(parts.size()));
      };
    TextFates own{.cut = 0, .unknown = std::vector<std::uint8_t>(count)};
    out.push_back(
        part.encoder.state().encode(texts, first, count, options_of(options, part.encoder), inner, own));
    for (Index i = 0; i < count; ++i) fates.unknown[i] = fates.unknown[i] && own.unknown[i];
    fates.cut = std::max(fates.cut, own.cut);
  }
  return out;
}

Matrix EnsembleModel::pooled(std::vector<Matrix> rows) const {
  Index cols = 0;
  for (const Matrix& part : rows) cols += part.cols();
  const Index count = rows.front().rows();
  Matrix all(count, cols);
  Index at = 0;
  for (Index p = 0; p < parts.size(); ++p) {
    unit_rows(rows[p].span());
    const auto weight = static_cast<float>(parts[p].weight);
    for (Index i = 0; i < count; ++i)
      for (Index j = 0; j < rows[p].cols(); ++j) all[i][at + j] = weight * rows[p][i][j];
    at += rows[p].cols();
  }
  unit_rows(all.span());
  if (mean.empty()) return all;
  Matrix out(count, map.outputs());
  for (Index i = 0; i < count; ++i)
    for (Index j = 0; j < cols; ++j) all[i][j] -= mean[j];
  multiply(all.view(), map, {}, Activation::none, out.span());
  unit_rows(out.span());
  return out;
}

Matrix EnsembleModel::encode(const Texts& texts, Index first, Index count, const EncodeOptions& options,
                             const Run& run, TextFates& fates) const {
  return pooled(encode_parts(texts, first, count, options, run, fates));
}

Matrix TfidfModel::encode(const Texts& texts, Index first, Index count, const EncodeOptions& options,
                          const Run& run, TextFates& fates) const {
  require(!options.prompt, Fault::argument,
          option_name("prompt") + " is " + options.prompt.value_or("") + "; the model has no prompts");
  return tfidf.encode(texts, first, count, run, &fates.unknown);
}

Encoder Encoder::State::load_ensemble(const fs::path& folder, const fs::path& models_folder, const Run& run,
                                      Index depth) {
  require(
      depth < kMostDepth, Fault::format,
      folder.string() + ": ensembles lie in each other more than " + std::to_string(kMostDepth) + " deep");
  const EnsembleDescription description = read_ensemble(folder);
  EnsembleModel out{.pool = description.pool, .parts = {}, .mean = {}, .map = {}};
  // What the vectors depend on, wherever the parts lie and whatever they are called.
  std::string all = std::string(kEnsembleFormat) + " 1\n" + std::string(name_of(description.pool)) + "\n";
  Index cols = 0;
  for (const EnsemblePart& part : description.parts) {
    std::string hash;
    std::optional<Encoder> encoder;
    if (part.kind == EnsemblePart::Kind::tfidf) {
      hash = checked_hash(folder / part.file, part.hash, folder, run);
      encoder = of(part.name, hash, TfidfModel{Tfidf::load(ArchiveReader(folder / part.file))});
    } else if (part.kind == EnsemblePart::Kind::tokens) {
      auto [tokens, id] = load_part(part, folder, models_folder, [&](const fs::path& place) {
        std::string digits;
        TokenVectors found = TokenVectors::of(place, run, digits);
        return std::pair(std::move(found), model_name(place) + "@" + digits);
      });
      hash = checked_hash(folder / part.file, part.hash, folder, run);
      tokens.set_weights(
          TokenWeights::load(ArchiveReader(folder / part.file), tokens.vocabulary(), tokens.token_dims()));
      hash += " " + std::string(model_of(id));
      const std::string digits = sha256(std::as_bytes(std::span(hash.data(), hash.size()))).substr(0, 16);
      encoder = of(part.name, digits, std::move(tokens));
    } else {
      auto [found, id] = load_part(part, folder, models_folder, [&](const fs::path& place) {
        Encoder model = load(place, models_folder, run, depth + 1);
        std::string its_id = model.space().id;
        return std::pair(std::move(model), std::move(its_id));
      });
      hash = model_of(id);
      encoder = std::move(found);
    }
    cols += encoder->space().dims;
    all += std::string(name_of(part.kind)) + " " + hash + " " + text_of(FieldValue(part.weight)) + "\n";
    out.parts.push_back({part.name, part.weight, std::move(*encoder)});
  }
  if (description.pool != EnsemblePool::concatenate) {
    all += checked_hash(folder / kEnsembleMap, description.hash, folder, run) + "\n";
    EnsembleMap map = EnsembleMap::load(ArchiveReader(folder / kEnsembleMap), cols);
    out.mean = std::move(map.mean);
    out.map = Packed::rows(map.map);
  }
  return of(model_name(folder), sha256(std::as_bytes(std::span(all.data(), all.size()))).substr(0, 16),
            std::move(out));
}

}  // namespace shoal
