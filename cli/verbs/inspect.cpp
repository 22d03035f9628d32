#include <algorithm>
#include <cmath>
#include <filesystem>
#include <utility>

#include "shoal/core/column_kind.h"
#include "shoal/core/error.h"
#include "shoal/core/letters.h"
#include "shoal/encode/encoder.h"
#include "shoal/encode/ensemble_folder.h"
#include "shoal/encode/model_place.h"
#include "shoal/flow/folders/cluster_folder.h"
#include "shoal/flow/folders/lay_out.h"
#include "shoal/flow/mapping/check_collection.h"
#include "shoal/flow/mapping/make_map.h"
#include "shoal/flow/texts/embed.h"
#include "shoal/store/archive/archive.h"
#include "shoal/store/collection/collection.h"
#include "shoal/store/vectors/rows_file.h"
#include "shoal/store/vectors/vector_files.h"
#include "verbs/verbs.h"

namespace shoal::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

std::string in_words(const CheckReport& report) {
  const std::string count = std::to_string(report.whole.size());
  std::string out = "all " + count + " files are whole";
  if (!report.unfinished.empty()) {
    out = count + (report.whole.size() == 1 ? " file is" : " files are") + " whole; not finished yet:";
    for (const std::string& name : report.unfinished) out += " " + name;
  }
  if (!report.settled)
    out +=
        "; rows.sqlite has no checksum until 'shoal map' has finished: its structure and texts were checked";
  return out;
}

/// What the columns hold: a line each.
Json kinds_json(const std::vector<std::string>& names, const std::vector<ColumnSketch>& sketches) {
  Json out = Json::array();
  for (std::size_t c = 0; c < names.size(); ++c) {
    const ColumnProfile found = sketches[c].profile();
    const double share =
        found.filled == 0 ? 0 : static_cast<double>(found.fits) / static_cast<double>(found.filled);
    out.push_back({{"column", names[c]},
                   {"kind", name_of(found.kind)},
                   {"written", found.written},
                   {"values", found.filled},
                   {"missing", found.missing},
                   {"fit", std::floor(share * 1000) / 1000},
                   {"examples", found.examples}});
  }
  return out;
}

/// The same of a collection, by its first rows.
Json kinds_json(const Collection& collection) {
  constexpr Index kRows = 20000, kBatch = 2048;
  const std::vector<std::string> names = collection.columns();
  std::vector<ColumnSketch> sketches(names.size());
  const Index rows = std::min(kRows, collection.rows());
  for (Index first = 0; first < rows && !names.empty(); first += kBatch) {
    const RowBatch batch = collection.batch(first, std::min(kBatch, rows - first));
    for (Index c = 0; c < names.size(); ++c)
      for (Index i = 0; i < batch.columns[c].size(); ++i) sketches[c].add(batch.columns[c][i]);
  }
  return kinds_json(names, sketches);
}

Json inspect_collection(const fs::path& path, bool check_all, const Run& run) {
  const Collection collection = Collection::open(path, true);
  Json clusters = Json::array(), groups = Json::array(), results = Json::array();
  for (const auto& c : collection.clusters())
    clusters.push_back({{"id", c.id}, {"name", c.name}, {"size", c.size}, {"group", c.group}});
  for (const auto& g : collection.groups())
    groups.push_back({{"id", g.id}, {"name", g.name}, {"size", g.size}});
  for (const Result& r : collection.results())
    results.push_back({{"name", r.name}, {"kind", name_of(r.kind)}, {"stage", r.stage}});
  Json out{{"kind", "collection"},
           {"path", path.string()},
           {"rows", collection.rows()},
           {"columns", collection.columns()}};
  out["kinds"] = kinds_json(collection);
  out["text_columns"] = text_columns(collection);
  for (const char* key : {"model", "input"})
    if (const auto value = collection.manifest(key)) out[key] = *value;
  const Embedded done = embedded(collection);
  out["vectors"] = done.rows;
  out["truncated_texts"] = done.cut ? Json(*done.cut) : Json();
  out["page"] =
      fs::exists(collection.file("map.html")) ? Json(collection.file("map.html").string()) : Json(nullptr);
  if (check_all) out["check"] = in_words(check_collection(collection, run));
  out["results"] = results;
  out["groups"] = groups;
  out["clusters"] = clusters;
  return out;
}

Json inspect_model(const fs::path& path) {
  const Encoder encoder = Encoder::load(path, {}, models_folder());
  return {{"kind", "model"},
          {"path", path.string()},
          {"id", encoder.space().id},
          {"dims", encoder.space().dims},
          {"unit", encoder.space().unit},
          {"max_tokens", encoder.max_tokens() > 0 ? nlohmann::ordered_json(encoder.max_tokens()) : Json()}};
}

/// A folder that a verb has made with a file `mark` that tells of it: what it tells, but for long lists.
Json inspect_result(const fs::path& path, const char* kind, const char* mark) {
  Json out{{"kind", kind}, {"path", path.string()}};
  const Json about = Json::parse(read_file(path / mark, std::size_t{1} << 30), nullptr, false);
  require(about.is_object(), Fault::format, (path / mark).string() + " is damaged: it is no JSON object");
  for (const auto& [key, value] : about.items())
    if (value.is_primitive() || key == "clusters") out[key] = value;
  return out;
}

Json inspect_vectors(const fs::path& path) {
  const Rows rows = open_vectors_at(path);
  Json out{{"kind", "vectors"},
           {"path", path.string()},
           {"rows", rows.rows()},
           {"dims", rows.cols()},
           {"dtype", rows.dtype() == Dtype::f32 ? "float32" : "float16"}};
  if (!rows.converted_from().empty()) out["converted_from"] = rows.converted_from();
  if (!rows.space().id.empty()) out["model"] = rows.space().id;
  return out;
}

/// A saved stage, or any other safetensors file.
Json inspect_archive(const fs::path& path) {
  const ArchiveReader reader(path);
  Json tensors = Json::object();
  for (const auto& [name, tensor] : reader.tensors()) tensors[name] = tensor.shape;
  Json metadata = Json::object();
  for (const auto& [key, value] : reader.metadata()) metadata[key] = value;
  return {{"kind", "archive"}, {"path", path.string()}, {"metadata", metadata}, {"tensors", tensors}};
}

Json inspect_texts(const fs::path& path, const ReadOptions& options, const Run& run) {
  Source source({path}, options, run.stop);
  Texts texts;
  std::vector<Texts> others;
  std::string first;
  std::vector<ColumnSketch> sketches(source.other_columns().size());
  while (source.next(8192, texts, others)) {
    if (first.empty()) first = texts[0];
    for (Index c = 0; c < others.size(); ++c)
      for (Index i = 0; i < others[c].size(); ++i) sketches[c].add(others[c][i]);
  }
  const ReadReport& report = source.report();
  return {
      {"kind", "texts"},
      {"path", path.string()},
      {"rows", report.rows},
      {"text_columns", source.text_columns()},
      {"columns", source.other_columns()},
      {"kinds", kinds_json(source.other_columns(), sketches)},
      {"first", beginning_of(first, 200)},
      {"read", to_json(report)},
      {"written", report.readings.empty() ? Json{{"format", "parquet"}} : to_json(report.readings.front())}};
}

/// Texts; or vectors, if a Parquet file has them and no column for texts, and no option says how to read it.
Json inspect_rows(const fs::path& path, const ReadOptions& options, const CLI::App& verb, const Run& run) {
  try {
    return inspect_texts(path, options, run);
  } catch (const Error& e) {
    if (path.extension() != ".parquet" || !given_reading(verb).empty() ||
        (e.fault != Fault::data && e.fault != Fault::argument))
      throw;
    try {
      return inspect_vectors(path);
    } catch (const Error&) {  // the first fault tells more
    }
    throw;
  }
}

Json inspect_folder(const fs::path& path) {
  if (has_mark(path, kClusterFolder)) return inspect_result(path, "clusters", cluster_mark(path));
  constexpr std::pair<const char*, const char*> kMarks[] = {{"layout", kLayoutMark},
                                                            {"predictions", "predictions.json"}};
  for (const auto& [kind, mark] : kMarks)
    if (fs::exists(path / mark)) return inspect_result(path, kind, mark);
  const fs::path model = model_place(path);
  if (model != path || fs::exists(path / "config.json") || fs::exists(path / "modules.json") ||
      is_ensemble(path))
    return inspect_model(model);
  for (const auto& entry : fs::directory_iterator(path))
    if (is_vector_file(entry.path())) return inspect_vectors(path);
  throw Error(Fault::format,
              path.string() +
                  " is no collection, no model (no config.json), holds no vectors, and was not "
                  "made by 'shoal cluster', 'layout' or 'classify'");
}

/// What is no file of texts; null if it is one.
Json inspect_made(const fs::path& path, bool check_all, const Run& run) {
  require(fs::exists(path), Fault::file, path.string() + ": no such file or folder");
  if (Collection::exists(path)) return inspect_collection(path, check_all, run);
  require(!check_all, Fault::argument, "--check: " + path.string() + " is no collection");
  if (fs::is_directory(path)) return inspect_folder(path);
  if (path.extension() == ".npy" || path.extension() == ".npz") return inspect_vectors(path);
  if (path.extension() == ".safetensors") {
    return ArchiveReader(path).has("vectors") ? inspect_vectors(path) : inspect_archive(path);
  }
  return nullptr;
}

Json inspect(const fs::path& path, bool check_all, const ReadOptions& options, CLI::App& verb,
             const Run& run) {
  const Json made = path == "-" && !check_all ? Json() : inspect_made(path, check_all, run);
  if (made.is_null()) return inspect_rows(path, options, verb, run);
  refuse_reading(verb, path.string(), "no such file: its kind is " + made.at("kind").get<std::string>());
  return made;
}

/// A string as it is, a list as its values with commas between.
std::string value_in_words(const Json& value) {
  if (value.is_null()) return "-";
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array()) return value.dump(-1, ' ', false, Json::error_handler_t::replace);
  std::string out;
  for (const auto& item : value) out += (out.empty() ? "" : ", ") + value_in_words(item);
  return out.empty() ? "-" : out;
}

/// One "key: value" a line. A list of objects is a table: the names of the columns, then a line each.
std::string in_words(const Json& object, const std::string& indent = "") {
  std::string out;
  for (const auto& [key, value] : object.items()) {
    out += indent + key + ":";
    if (value.is_object()) {
      out += "\n" + in_words(value, indent + "  ");
    } else if (value.is_array() && !value.empty() && value.front().is_object()) {
      for (const auto& [name, part] : value.front().items()) out += "  " + name;
      out += "\n";
      for (const auto& item : value) {
        out += indent;
        for (const auto& part : item) out += "  " + value_in_words(part);
        out += "\n";
      }
    } else {
      out += " " + value_in_words(value) + "\n";
    }
  }
  return out;
}

}  // namespace

void add_inspect(CLI::App& app, Session& session) {
  struct Flags {
    std::string path;
    bool check = false;
    ReadOptions read;
  };
  auto flags = std::make_shared<Flags>();
  auto* verb = app.add_subcommand(
      "inspect", "What a file or folder is: collection, vectors, result, saved stage, model, texts");
  verb->footer(
      "Examples:\n"
      "  shoal inspect reviews.csv              how many rows, which columns, which of them holds the texts\n"
      "  shoal inspect reviews.shoal --check    whether its files are still as they were written");
  verb->add_option("path", flags->path,
                   "A collection, .npy, .npz, .safetensors, .parquet, a folder of these, what a verb has "
                   "made, a model or a "
                   "file of texts")
      ->required()
      ->type_name("PATH");
  verb->add_flag("--check", flags->check,
                 "Read all files of a collection and compare them with their checksums; status 5 if one is "
                 "damaged");
  add_reading(*verb, session, flags->read);
  add_shared(*verb, session);
  verb->callback([verb, flags, &session] {
    const Json object = inspect(flags->path, flags->check, flags->read, *verb, session.run());
    session.answer(object, in_words(object));
  });
}

}  // namespace shoal::cli
