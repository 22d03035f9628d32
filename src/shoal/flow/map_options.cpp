#include "shoal/flow/map_options_impl.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "shoal/core/error.h"

namespace shoal {
namespace {

using nlohmann::json;

template <class T>
void put(json& to, const T& x) {
  if constexpr (std::is_enum_v<T>) {
    to = name_of(x);
  } else if constexpr (std::is_same_v<T, Seed>) {
    to = x.value;
  } else {
    to = x;
  }
}
template <class T>
void put(json& to, const std::optional<T>& x) {
  to = nullptr;
  if (x) put(to, *x);
}

template <class T>
void take(const json& from, T& x) {
  if constexpr (std::is_enum_v<T>) {
    const auto name = from.get<std::string>();
    for (const T value : {T{0}, T{1}})  // each of these options has two values
      if (name == name_of(value)) x = value;
  } else if constexpr (std::is_same_v<T, Seed>) {
    x.value = from.get<std::uint64_t>();
  } else {
    x = from.get<T>();
  }
}
template <class T>
void take(const json& from, std::optional<T>& x) {
  x.reset();
  if (!from.is_null()) take(from, x.emplace());
}

/// Calls `visit(name, value)` for each option that is kept.
template <class Visit>
void each_kept(MapOptions& o, Visit&& visit) {
  const auto inside = [&](const std::string& stage) {
    return [&visit, stage](const char* name, auto& value, const char*) { visit(stage + name, value); };
  };
  visit("model", o.model_name);
  visit("title", o.title);
  visit("color", o.color);
  visit("n_clusters", o.clusters.n_clusters);
  visit("seed", o.seed);
  fields(o.encode, inside("encode."));
  fields(o.pca, inside("pca."));
  fields(o.umap, inside("umap."));
}

/// How clusters are looked for; older collections have nothing of it, and mean the default.
json put_clustering(const ClusteringOptions& o) {
  json method = json::object();
  for (const Field& field : o.method.list())
    if (field.name != "n_clusters" && field.name != "seed")
      std::visit(
          [&]<class T>(const T& v) {
            if constexpr (!std::is_same_v<T, std::monostate>) method[field.name] = v;
          },
          field.value);
  json out{{"method", o.method.kind()},         {"options", method}, {"choose", o.choose},
           {"criterion", name_of(o.criterion)}, {"range", nullptr},  {"resamples", o.resamples}};
  if (o.range) out["range"] = {o.range->min, o.range->max};
  return out;
}

void take_clustering(const json& from, ClusteringOptions& o) {
  const auto method = method_named(from.at("method").get<std::string>());
  const auto criterion = criterion_named(from.at("criterion").get<std::string>());
  require(method && criterion, Fault::format, "the method or the criterion is unknown");
  o.method = *method;
  for (const auto& [name, value] : from.at("options").items())
    o.method.set(name, value.is_string() ? value.get<std::string>() : value.dump());
  o.choose = from.at("choose").get<bool>();
  o.criterion = *criterion;
  if (const json& range = from.at("range"); !range.is_null())
    o.range = ClusterRange{range.at(0).get<Index>(), range.at(1).get<Index>()};
  o.resamples = from.at("resamples").get<Index>();
}

}  // namespace

std::string options_text(const MapOptions& options) {
  MapOptions copy = options;
  if (copy.model_name.empty())
    copy.model_name = std::filesystem::absolute(copy.model).lexically_normal().string();
  json out;
  each_kept(copy, [&](const std::string& name, const auto& value) { put(out[name], value); });
  out["clustering"] = put_clustering(options.clusters);
  return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

MapOptions stored_options(const Collection& collection) {
  MapOptions out;
  out.model_name = collection.manifest("model_name").value_or("");
  const auto text = collection.manifest("options");
  if (!text) return out;
  try {
    const json from = json::parse(*text);
    each_kept(out, [&](const std::string& name, auto& value) {
      // Collections made before these were options do without.
      if (from.contains(name) || !name.starts_with("umap.dens_")) take(from.at(name), value);
    });
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
