#include "shoal/flow/ensembles/fit_ensemble.h"

#include <algorithm>
#include <cmath>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/encode/ensemble_folder.h"
#include "shoal/encode/model_place.h"
#include "shoal/encode/token_vectors.h"
#include "shoal/flow/receipt.h"
#include "shoal/flow/stage_file.h"
#include "shoal/flow/texts/models.h"
#include "shoal/linear/procrustes.h"
#include "shoal/reduce/pca.h"
#include "shoal/store/collection/collection.h"
#include "shoal/store/files/new_folder.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;
using Kind = EnsemblePart::Kind;

constexpr Index kBatch = 4096;
constexpr FolderMark kMark{kEnsembleMark, "\"format\": \"shoal ensemble\""};
constexpr const char* kTokens = "tokens:";

struct PartSpec {
  Kind kind = Kind::model;
  std::string name;  // for people
  fs::path folder;   // of model and tokens
  double weight = 1;
};

std::vector<PartSpec> specs_of(const FitEnsembleOptions& o) {
  require(!o.parts.empty(), Fault::argument,
          option_name("parts") + " is empty; it names models, tfidf, or tokens:MODEL");
  require(o.weights.empty() || o.weights.size() == o.parts.size(), Fault::argument,
          option_name("weights") + " has " + std::to_string(o.weights.size()) + " numbers for " +
              std::to_string(o.parts.size()) + " parts; one a part is needed");
  std::vector<PartSpec> out;
  for (Index i = 0; i < o.parts.size(); ++i) {
    const std::string& given = o.parts[i];
    PartSpec spec;
    if (given == "tfidf") {
      spec.kind = Kind::tfidf, spec.name = given;
    } else {
      const bool tokens = given.starts_with(kTokens) && !fs::is_directory(given);
      spec.kind = tokens ? Kind::tokens : Kind::model;
      spec.folder =
          find_model(tokens ? given.substr(std::string_view(kTokens).size()) : given, o.models_folder);
      spec.name = (tokens ? kTokens : "") + model_name(model_place(spec.folder));
    }
    spec.weight = !o.weights.empty() ? o.weights[i] : spec.kind == Kind::model ? 1.0 : 0.5;
    require(std::isfinite(spec.weight) && spec.weight > 0 && spec.weight <= 1e6, Fault::argument,
            option_name("weights") + " has " + text_of(FieldValue(spec.weight)) + " for " + spec.name +
                "; allowed: above 0 to 1000000");
    const bool twice = std::ranges::any_of(out, [&](const PartSpec& p) {
      return p.kind == spec.kind && (p.folder == spec.folder || p.name == spec.name);
    });
    require(!twice, Fault::argument, option_name("parts") + " names " + spec.name + " twice");
    out.push_back(std::move(spec));
  }
  return out;
}

/// All texts of the inputs, batch by batch.
TextPasses passes_of(const FitEnsembleOptions& o, const Run& run) {
  return [&o, run](const std::function<void(const Texts&)>& take) {
    if (o.inputs.size() == 1 && Collection::exists(o.inputs[0])) {
      const Collection collection = Collection::open(o.inputs[0], true);
      for (Index at = 0; at < collection.rows(); at += kBatch) {
        check_stop(run);
        take(collection.texts(at, std::min(kBatch, collection.rows() - at)));
      }
      return;
    }
    Source source(o.inputs, o.read, run.stop);
    Texts texts;
    std::vector<Texts> others;
    while (source.next(kBatch, texts, others)) {
      check_stop(run);
      take(texts);
    }
  };
}

/// At most `most` of n texts, spread evenly.
Texts sample_of(const TextPasses& passes, Index n, Index most) {
  Texts out;
  Index row = 0, taken = 0;
  const Index wanted = std::min(n, most);
  passes([&](const Texts& batch) {
    for (Index i = 0; i < batch.size(); ++i, ++row)
      if (taken < wanted && row == taken * n / wanted) out.add(batch[i]), ++taken;
  });
  return out;
}

std::string key_of(const FitEnsembleOptions& o, const std::vector<PartSpec>& specs, const Run& run) {
  std::vector<Field> list = list_fields(o);
  for (Field& field : list_fields(o.tfidf)) list.push_back(std::move(field));
  for (Field& field : list_fields(o.read)) list.push_back(std::move(field));
  std::string text;
  for (const std::string& name : o.read.text_columns) text += name + '\n';
  list.push_back({"text", text});
  for (const PartSpec& spec : specs) {
    list.push_back({"part", spec.name});
    list.push_back({"weight", spec.weight});
    std::string id;
    if (spec.kind == Kind::model) id = Encoder::load(spec.folder, run.quiet(), o.models_folder).space().id;
    if (spec.kind == Kind::tokens) TokenVectors::of(spec.folder, run, id);
    list.push_back({"id", id});
  }
  return result_key("ensemble fit", list, o.inputs, run);
}

std::vector<const char*> file_names(std::vector<std::string>& kept) {
  kept = {kEnsembleMark, kEnsembleMap, "tfidf.safetensors"};
  for (int i = 0; i < 64; ++i) kept.push_back("tokens-" + std::to_string(i) + ".safetensors");
  std::vector<const char*> out;
  for (const std::string& name : kept) out.push_back(name.c_str());
  return out;
}

/// Columns [first, first + n) of x.
Matrix columns_of(const Matrix& x, Index first, Index n) {
  Matrix out(x.rows(), n);
  for (Index i = 0; i < x.rows(); ++i) std::copy_n(x[i].data() + first, n, out[i].data());
  return out;
}

EnsembleMap rotations(const Encoder& concatenated, const Matrix& x) {
  EnsembleMap out{std::vector<float>(x.cols()), {}};
  const Index d = concatenated.parts().front().encoder.space().dims;
  out.map = Matrix(d, x.cols());
  const Matrix first = columns_of(x, 0, d);
  Index at = 0;
  for (const EncoderPart& part : concatenated.parts()) {
    const Index n = part.encoder.space().dims;
    Matrix turn(d, d);
    for (Index j = 0; j < d; ++j) turn[j][j] = 1;
    if (at > 0) turn = procrustes(columns_of(x, at, n), first);
    for (Index i = 0; i < d; ++i) std::copy_n(turn[i].data(), n, out.map[i].data() + at);
    at += n;
  }
  return out;
}

void fill_parts(const Encoder& encoder, FitEnsembleReport& report) {
  report.dims = encoder.space().dims;
  report.id = encoder.space().id;
  for (const EncoderPart& part : encoder.parts())
    report.parts.push_back({part.name, part.weight, part.encoder.space().dims, 0});
}

}  // namespace

FitEnsembleReport fit_ensemble(const FitEnsembleOptions& o, const Run& run) {
  check_options(o);
  check_options(o.tfidf);
  require(!o.inputs.empty(), Fault::argument, "no texts are given");
  for (const fs::path& input : o.inputs)
    require(
        input != "-", Fault::argument,
        "standard input can be read once only, and an ensemble reads its texts more than once; give a file");
  const std::vector<PartSpec> specs = specs_of(o);
  const std::string key = key_of(o, specs, run);
  std::vector<std::string> kept;
  const std::vector<const char*> names = file_names(kept);
  FitEnsembleReport report;
  report.out = o.out;
  if (!o.overwrite && fs::exists(o.out / kEnsembleMark) && has_receipt(o.out, kEnsembleMark, key)) {
    NewFolder::clean_up(o.out, kMark, names);
    try {
      fill_parts(Encoder::load(o.out, run, o.models_folder), report);
    } catch (const Error& e) {
      throw Error(e.fault, std::string(e.what()) + "; " + option_name("overwrite") + " makes it anew");
    }
    report.done_before = true;
    return report;
  }
  NewFolder folder(o.out, kMark, o.overwrite, names);
  for (const fs::path& input : o.inputs) folder.keep_off(input);
  for (const PartSpec& spec : specs)
    if (!spec.folder.empty()) folder.keep_off(spec.folder);

  const TextPasses passes = passes_of(o, run);
  EnsembleDescription description;
  Index terms = 0;
  passes([&](const Texts& batch) { report.texts += batch.size(); });
  require(report.texts > 0, Fault::data, o.inputs[0].string() + " has no texts");
  for (const PartSpec& spec : specs) {
    EnsemblePart part;
    part.kind = spec.kind, part.name = spec.name, part.weight = spec.weight;
    if (spec.kind == Kind::tfidf) {
      const Tfidf tfidf = Tfidf::fit(passes, o.tfidf, run);
      terms = tfidf.terms().size();
      part.file = "tfidf.safetensors";
      save_stage(tfidf, folder / part.file);
    } else {
      part.path = part_path(o.out, spec.folder);
      if (spec.kind == Kind::tokens) {
        std::string hash;
        const TokenVectors tokens = TokenVectors::of(spec.folder, run, hash);
        part.id = model_name(model_place(spec.folder)) + "@" + hash;
        part.file = "tokens-" + std::to_string(description.parts.size()) + ".safetensors";
        save_stage(tokens.fit_weights(passes, run), folder / part.file);
      } else {
        part.id = Encoder::load(spec.folder, run, o.models_folder).space().id;
      }
    }
    description.parts.push_back(std::move(part));
  }
  description.texts = report.texts;
  write_ensemble(description, folder / "", run);
  const auto load = [&] { return Encoder::load(folder / "", run, o.models_folder); };
  if (o.pool != EnsemblePool::concatenate) {
    const Encoder encoder = load();
    const Rows x = encoder.encode(sample_of(passes, report.texts, o.sample), {}, run);
    EnsembleMap map;
    if (o.pool == EnsemblePool::average) {
      map = rotations(encoder, x.to_matrix());
    } else {
      const Pca pca = Pca::fit(x, {.variance = o.variance, .n_components = o.n_components}, run);
      require(pca.explained_variance()[0] > 0, Fault::data,
              "the texts' vectors are all equal: PCA finds no direction in which they differ");
      map = {pca.mean(), pca.components()};
      report.variance = pca.explained_variance_ratio();
    }
    save_stage(map, folder / kEnsembleMap);
    description.pool = o.pool;
    write_ensemble(description, folder / "", run);
  }
  fill_parts(load(), report);
  report.id = model_name(o.out) + report.id.substr(report.id.find('@'));
  for (FitEnsembleReport::Part& part : report.parts)
    if (part.name == "tfidf") part.terms = terms;
  add_receipt(folder / "", kEnsembleMark, key);
  folder.keep();
  return report;
}

}  // namespace shoal
