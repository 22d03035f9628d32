#include "shoal/flow/mapping/map_options_impl.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "shoal/core/error.h"
#include "shoal/store/archive/json_value_impl.h"

namespace shoal {
namespace {

using nlohmann::json;

/// The options that are kept, under the names that they have there.
OptionRefs kept(MapOptions& o) {
  OptionRefs out = option_refs(o);
  out.emplace_back("model", o.model_name, "", Allowed());
  out.emplace_back("n_clusters", o.clusters.n_clusters, "", at_least(1));
  const auto add = [&](const std::string& stage, auto& options) {
    for (OptionRef& option : option_refs(options)) {
      option.name = stage + option.name;
      out.push_back(option);
    }
  };
  add("encode.", o.encode);
  add("pca.", o.pca);
  add("umap.", o.umap);
  add("words.", o.words);
  return out;
}

/// An option that is not there was none yet when the collection was made: it keeps its default.
void take(const json& from, const OptionRefs& options) {
  for (const OptionRef& option : options)
    if (const auto found = from.find(option.name); found != from.end()) option.set(value_from(*found));
}

/// How clusters are looked for; older collections have nothing of it, and mean the default.
json put_clustering(const ClusteringOptions& o) {
  json method = json::object();
  for (const Field& field : o.method.list())
    if (field.name != "n_clusters" && field.name != "seed" && field.value.index() != 0)
      method[field.name] = json_value<json>(field.value);
  json out{{"method", o.method.kind()}, {"options", method}, {"choose", o.choose}, {"range", nullptr}};
  for (const Field& field : list_fields(o)) out[field.name] = json_value<json>(field.value);
  if (o.range) out["range"] = {o.range->min, o.range->max};
  return out;
}

void take_clustering(const json& from, ClusteringOptions& o) {
  const auto method = method_named(from.at("method").get<std::string>());
  require(method.has_value(), Fault::format, "the method is unknown");
  o.method = *method;
  for (const auto& [name, value] : from.at("options").items())
    o.method.set(name, value.is_string() ? value.get<std::string>() : value.dump());
  o.choose = from.at("choose").get<bool>();
  if (const json& range = from.at("range"); !range.is_null())
    o.range = ClusterRange{range.at(0).get<Index>(), range.at(1).get<Index>()};
  take(from, option_refs(o));
}

}  // namespace

std::string options_text(const MapOptions& options) {
  MapOptions copy = options;
  if (copy.model_name.empty())
    copy.model_name = std::filesystem::absolute(copy.model).lexically_normal().string();
  json out;
  for (const Field& field : list_fields(kept(copy))) out[field.name] = json_value<json>(field.value);
  out["clustering"] = put_clustering(options.clusters);
  if (!options.words.more_stop_words.empty()) out["more_stop_words"] = options.words.more_stop_words;
  return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

MapOptions stored_options(const Collection& collection) {
  MapOptions out;
  out.model_name = collection.manifest("model_name").value_or("");
  const auto text = collection.manifest("options");
  if (!text) return out;
  try {
    const json from = json::parse(*text);
    require(from.is_object() && from.contains("model"), Fault::format, "they name no model");
    take(from, kept(out));
    if (from.contains("more_stop_words"))
      out.words.more_stop_words = from.at("more_stop_words").get<std::vector<std::string>>();
    if (from.contains("clustering")) take_clustering(from.at("clustering"), out.clusters);
  } catch (const std::exception& e) {  // of the JSON, or of a value that no option has
    throw damaged_collection(collection.folder(),
                             std::string("its options cannot be read (") + e.what() + ")");
  }
  return out;
}

std::vector<std::string> text_columns(const Collection& collection) {
  const auto text = collection.manifest("text_columns");
  if (!text) return {};
  const json list = json::parse(*text, nullptr, false);
  if (list.is_array() && std::ranges::all_of(list, [](const json& name) { return name.is_string(); }))
    return list.get<std::vector<std::string>>();
  return {*text};  // as it was written before it was a list
}

}  // namespace shoal
