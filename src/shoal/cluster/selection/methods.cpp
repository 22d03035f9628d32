#include "shoal/cluster/selection/methods.h"

#include <algorithm>
#include <string>
#include <type_traits>

#include "shoal/core/error.h"
#include "shoal/store/archive/archive.h"

namespace shoal {
namespace {

template <class... S, class F>
void each_method(std::type_identity<std::variant<S...>>, F&& f) {
  (f(std::type_identity<S>{}), ...);
}
/// Calls f(std::type_identity<S>{}) for each method S.
template <class F>
void each_method(F&& f) {
  each_method(std::type_identity<AnyClusterer>{}, std::forward<F>(f));
}

/// Calls f with the method that the options are of, and with them.
template <class F>
void with_method(const MethodOptions& options, F&& f) {
  each_method([&]<class S>(std::type_identity<S> method) {
    if (const auto* its = std::get_if<typename S::Options>(&options.of)) f(method, *its);
  });
}

template <class O>
constexpr bool kHasClusters = requires(O& o) {
  o.n_clusters;
};

}  // namespace

std::string_view MethodOptions::kind() const {
  std::string_view name;
  with_method(*this, [&]<class S>(std::type_identity<S>, const auto&) { name = S::kind; });
  return name;
}

std::string_view MethodOptions::title() const {
  std::string_view name;
  with_method(*this, [&]<class S>(std::type_identity<S>, const auto&) { name = S::title; });
  return name;
}

Metric MethodOptions::metric() const {
  return std::visit([](const auto& o) { return o.metric; }, of);
}

bool MethodOptions::takes_n_clusters() const {
  const auto* joining = std::get_if<AgglomerativeOptions>(&of);
  if (joining != nullptr && joining->distance_threshold) return false;
  return std::visit([]<class O>(const O&) { return kHasClusters<O>; }, of);
}

void MethodOptions::set_n_clusters(Index k) {
  require(takes_n_clusters(), Fault::argument, std::string(kind()) + " finds the number of clusters itself");
  std::visit(
      [&]<class O>(O& o) {
        if constexpr (kHasClusters<O>) o.n_clusters = k;
      },
      of);
}

void MethodOptions::set_seed(Seed seed) {
  std::visit(
      [&]<class O>(O& o) {
        if constexpr (requires { o.seed; }) o.seed = seed;
      },
      of);
}

void MethodOptions::set_n_init(Index rows, Index clusters, Index cols) {
  std::visit(
      [&]<class O>(O& o) {
        if constexpr (requires { o.n_init; })
          if (!o.n_init) o.n_init = default_n_init(rows, clusters, cols);
      },
      of);
}

OptionRefs MethodOptions::options() {
  return std::visit([](auto& o) { return option_refs(o); }, of);
}

void MethodOptions::set(std::string_view name, const std::string& value) {
  const OptionRefs all = options();
  const auto found = std::ranges::find(all, name, &OptionRef::name);
  if (found == all.end()) {
    std::string names;
    for (const OptionRef& option : all) names += (names.empty() ? "" : ", ") + option_name(option.name);
    throw Error(Fault::argument,
                option_name(name) + " is no option of " + std::string(kind()) + "; it has " + names);
  }
  found->set_text(value);
  // The one stands for the other, which has a default.
  if (auto* joining = std::get_if<AgglomerativeOptions>(&of);
      joining != nullptr && name == "distance_threshold") {
    if (joining->distance_threshold)
      joining->n_clusters.reset();
    else if (!joining->n_clusters)
      joining->n_clusters = AgglomerativeOptions{}.n_clusters;
  }
}

std::vector<Field> MethodOptions::list() const {
  return std::visit([](const auto& o) { return list_fields(o); }, of);
}

void MethodOptions::check() const {
  std::visit([](const auto& o) { check_options(o); }, of);
}

std::vector<MethodOptions> all_methods() {
  std::vector<MethodOptions> out;
  each_method([&]<class S>(std::type_identity<S>) { out.push_back({typename S::Options{}}); });
  return out;
}

std::optional<MethodOptions> method_named(std::string_view name) {
  for (const MethodOptions& method : all_methods())
    if (method.kind() == name) return method;
  return std::nullopt;
}

AnyClusterer fit_clusterer(const Rows& x, const MethodOptions& options, const Run& run) {
  std::optional<AnyClusterer> fitted;
  with_method(options, [&]<class S>(std::type_identity<S>, const auto& o) { fitted = S::fit(x, o, run); });
  return std::move(*fitted);
}

const Labels& labels_of(const AnyClusterer& clusterer) {
  return std::visit([](const auto& c) -> const Labels& { return c.labels(); }, clusterer);
}

Labels labels_of(AnyClusterer&& clusterer) {
  return std::visit([](auto& c) { return std::move(c).labels(); }, clusterer);
}

const Dendrogram* dendrogram_of(const AnyClusterer& clusterer) {
  const auto* joined = std::get_if<Agglomerative>(&clusterer);
  return joined == nullptr ? nullptr : &joined->dendrogram();
}

std::optional<double> placement_of(const AnyClusterer& clusterer) {
  return std::visit(
      []<class S>(const S& c) -> std::optional<double> {
        if constexpr (requires { c.placement_agreement(); }) return c.placement_agreement();
        if constexpr (Predictor<S>) return 1;
        return std::nullopt;
      },
      clusterer);
}

Labels place_rows(const AnyClusterer& clusterer, const Rows& x, const Run& run) {
  return std::visit(
      [&]<class S>(const S& c) -> Labels {
        if constexpr (Predictor<S>)
          return c.predict(x, run);
        else if constexpr (std::is_same_v<S, Hdbscan>)
          return c.place(x, run).labels;
        else if constexpr (requires { c.place(x, run); })
          return c.place(x, run);
        else
          throw Error(Fault::argument, std::string(S::kind) + " has no rule for new rows");
      },
      clusterer);
}

void save_clusterer(const AnyClusterer& clusterer, const std::filesystem::path& path) {
  std::visit(
      [&]<class S>(const S& c) {
        ArchiveWriter out(S::kind);
        c.save(out);
        out.write(path);
      },
      clusterer);
}

AnyClusterer load_clusterer(const std::filesystem::path& path) {
  const ArchiveReader in(path);
  const std::string kind = in.meta("kind");
  std::optional<AnyClusterer> loaded;
  each_method([&]<class S>(std::type_identity<S>) {
    if (kind == S::kind) loaded = S::load(in);
  });
  if (!loaded) throw Error(Fault::format, path.string() + ": '" + kind + "' is no method of clustering");
  return std::move(*loaded);
}

}  // namespace shoal
