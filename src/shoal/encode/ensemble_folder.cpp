#include "shoal/encode/ensemble_folder.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "shoal/core/error.h"
#include "shoal/core/names.h"
#include "shoal/encode/encoder_impl.h"
#include "shoal/encode/json_fields_impl.h"
#include "shoal/store/archive/archive.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr Index kMostParts = 64;

EnsemblePart read_part(const fs::path& where, const nlohmann::json& line) {
  require(line.is_object(), Fault::format, where.string() + ": is no object");
  const JsonFields fields(where, line);
  EnsemblePart part;
  const auto kind = named<EnsemblePart::Kind>(fields.text("kind"));
  if (!kind) fields.fail("kind", "allowed are model, tokens and tfidf");
  part.kind = *kind;
  part.name = fields.text("name");
  part.weight = fields.number("weight", 0, 1e6, 1);
  if (!(part.weight > 0)) fields.fail("weight", "it must be above 0");
  if (part.kind != EnsemblePart::Kind::tfidf) {
    part.path = fields.text("path");
    part.id = fields.text("id");
    if (part.path.native().find('\0') != std::string::npos)
      fields.fail("path", "it must not hold a zero byte");
  }
  if (part.kind != EnsemblePart::Kind::model) {
    part.file = fields.text("file");
    part.hash = fields.text("hash");
    const fs::path file = part.file;
    if (part.file.empty() || file.has_parent_path() || file.is_absolute() || part.file == ".." ||
        part.file.find('\0') != std::string::npos)
      fields.fail("file", "it must be the name of a file in the folder");
  }
  return part;
}

}  // namespace

bool is_ensemble(const fs::path& folder) {
  std::error_code ignored;
  return fs::exists(folder / kEnsembleMark, ignored);
}

EnsembleDescription read_ensemble(const fs::path& folder) {
  const fs::path path = folder / kEnsembleMark;
  const JsonFields fields = JsonFields::read(path);
  if (fields.text("format") != kEnsembleFormat)
    fields.fail("format", "it must be " + std::string(kEnsembleFormat));
  if (fields.integer("version", 1, 1'000'000) != 1) fields.refuse("version", "this shoal reads version 1");
  EnsembleDescription out;
  const auto pool = named<EnsemblePool>(fields.text("pool"));
  if (!pool) fields.fail("pool", "allowed are concatenate, average and pca");
  out.pool = *pool;
  out.hash = fields.text("map_hash", "");
  if (out.hash.empty() != (out.pool == EnsemblePool::concatenate))
    fields.fail("map_hash", "average and pca have a map, concatenate has none");
  out.texts = fields.integer("texts", 0, Index{1} << 50, 0);
  const nlohmann::json* parts = fields.find("parts");
  if (!parts || !parts->is_array() || parts->empty() || parts->size() > kMostParts)
    throw Error(Fault::format,
                path.string() + ": parts must be a list of 1 to " + std::to_string(kMostParts));
  for (std::size_t i = 0; i < parts->size(); ++i)
    out.parts.push_back(read_part(path.string() + ": part " + std::to_string(i), (*parts)[i]));
  return out;
}

void write_ensemble(EnsembleDescription d, const fs::path& folder, const Run& run) {
  if (d.pool != EnsemblePool::concatenate) d.hash = FilesHash::of({folder / kEnsembleMap}, run);
  Json parts = Json::array();
  for (const EnsemblePart& part : d.parts) {
    Json line{{"kind", name_of(part.kind)}, {"name", part.name}, {"weight", part.weight}};
    if (part.kind != EnsemblePart::Kind::tfidf) {
      line["path"] = part.path.string();
      line["id"] = part.id;
    }
    if (part.kind != EnsemblePart::Kind::model) {
      line["file"] = part.file;
      line["hash"] = FilesHash::of({folder / part.file}, run);
    }
    parts.push_back(std::move(line));
  }
  Json out{{"format", kEnsembleFormat}, {"version", 1}, {"pool", name_of(d.pool)}};
  if (!d.hash.empty()) out["map_hash"] = d.hash;
  out["texts"] = d.texts;
  out["parts"] = std::move(parts);
  write_file(folder / kEnsembleMark, out.dump(2) + "\n");
}

fs::path part_path(const fs::path& folder, const fs::path& part) {
  const fs::path target = fs::weakly_canonical(fs::absolute(folder));
  const fs::path place = fs::weakly_canonical(fs::absolute(part));
  const fs::path relative = place.lexically_relative(target.parent_path());
  if (relative.empty() || *relative.begin() == "..") return place;
  return place.lexically_relative(target);
}

void move_ensemble(const fs::path& from, const fs::path& copy, const fs::path& to) {
  EnsembleDescription description = read_ensemble(copy);
  std::error_code ignored;
  for (EnsemblePart& part : description.parts)
    if (part.kind != EnsemblePart::Kind::tfidf && fs::is_directory(from / part.path, ignored))
      part.path = part_path(to, from / part.path);
  write_ensemble(std::move(description), copy, {});
}

void EnsembleMap::save(ArchiveWriter& out) const {
  out.add("mean", std::span<const float>(mean));
  out.add("map", map);
}

EnsembleMap EnsembleMap::load(const ArchiveReader& in, Index cols) {
  check_kind(in, kind);
  EnsembleMap out{in.floats("mean", cols), in.matrix("map")};
  require(out.map.cols() == cols && out.map.rows() > 0, Fault::format,
          in.path().string() + ": its map is of " + std::to_string(out.map.cols()) +
              " numbers; the parts have " + std::to_string(cols));
  bool finite = std::ranges::all_of(out.mean, [](float x) { return std::isfinite(x); });
  for (Index i = 0; i < out.map.rows() * cols; ++i) finite = finite && std::isfinite(out.map.data()[i]);
  require(finite, Fault::format, in.path().string() + ": a number is not finite");
  return out;
}

}  // namespace shoal
