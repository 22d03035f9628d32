#include "shoal/cluster/selection/methods.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string>
#include <type_traits>

#include "shoal/core/error.h"
#include "shoal/store/archive/archive.h"

namespace shoal {
namespace {

// How many values each option's type has, for messages.
template <class E>
constexpr int kNames = 2;
template <>
constexpr int kNames<Linkage> = 5;

template <class S>
struct StageOf {
  using type = S;
};
/// Calls f(StageOf<S>{}) for each method S.
template <class F, class... S>
void each_stage(const std::variant<S...>*, F&& f) {
  (f(StageOf<S>{}), ...);
}
template <class F>
void each_method(F&& f) {
  each_stage(static_cast<const AnyClusterer*>(nullptr), std::forward<F>(f));
}

/// Calls f(options, StageOf<S>{}) with the method whose options they are. KMeans and SphericalKMeans may
/// share a type of options, so the place in the variant decides.
template <class F>
void with_stage(const MethodOptions& options, F&& f) {
  Index place = 0;
  each_method([&]<class S>(StageOf<S> stage) {
    if (options.of.index() == place++) f(stage);
  });
}

[[noreturn]] void refuse(const std::string& value, const std::string& allowed) {
  throw Error(Fault::argument, "'" + value + "' is not " + allowed);
}

void read(const std::string& value, bool& x) {
  if (value != "true" && value != "false") refuse(value, "true or false");
  x = value == "true";
}
void read(const std::string& value, Index& x) {
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), x);
  if (error != std::errc() || end != value.data() + value.size()) refuse(value, "a whole number from 0");
}
void read(const std::string& value, double& x) {
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), x);
  if (error != std::errc() || end != value.data() + value.size()) refuse(value, "a number");
}
void read(const std::string& value, Seed& x) {
  Index number = 0;
  read(value, number);
  x = {number};
}
template <class E>
void read_name(const std::string& value, E& x, std::optional<E> found) {
  std::string names;
  if (!found) {
    for (int i = 0; i < kNames<E>; ++i)
      names += (i > 0 ? ", " : "") + std::string(name_of(static_cast<E>(i)));
    refuse(value, "one of " + names);
  }
  x = *found;
}
void read(const std::string& value, Metric& x) { read_name(value, x, metric_named(value)); }
void read(const std::string& value, Linkage& x) { read_name(value, x, linkage_named(value)); }
void read(const std::string& value, KMeansInit& x) { read_name(value, x, kmeans_init_named(value)); }
void read(const std::string& value, ClusterSelection& x) { read_name(value, x, selection_named(value)); }
void read(const std::string& value, SomTopology& x) { read_name(value, x, topology_named(value)); }
void read(const std::string& value, SomInit& x) { read_name(value, x, som_init_named(value)); }
template <class T>
void read(const std::string& value, std::optional<T>& x) {
  read(value, x.emplace());
}

std::string as_text(const FieldValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return std::to_string(*whole);
  const auto* number = std::get_if<double>(&value);
  if (number == nullptr) return "";
  char buffer[32];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, *number).ptr};
}

template <class O>
constexpr bool kHasClusters = requires(O& o) {
  o.n_clusters;
};
template <class O>
constexpr bool kHasSeed = requires(O& o) {
  o.seed;
};
template <class O>
constexpr bool kHasMetric = requires(O& o) {
  o.metric;
};

}  // namespace

std::string_view MethodOptions::kind() const {
  std::string_view name;
  with_stage(*this, [&]<class S>(StageOf<S>) { name = S::kind; });
  return name;
}

Metric MethodOptions::metric() const {
  return std::visit(
      [&]<class O>(const O& o) {
        if constexpr (kHasMetric<O>) return o.metric;
        return kind() == KMeans::kind ? Metric::euclidean : Metric::cosine;
      },
      of);
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
        if constexpr (kHasSeed<O>) o.seed = seed;
      },
      of);
}

void MethodOptions::set(std::string_view name, const std::string& value) {
  bool found = false;
  std::string names;
  std::visit(
      [&](auto& o) {
        fields(o, [&](const char* field, auto& x, const char*) {
          names += (names.empty() ? "" : ", ") + std::string(field);
          if (name != field) return;
          found = true;
          try {
            read(value, x);
          } catch (const Error& e) {
            throw Error(e.fault, std::string(name) + ": " + e.what());
          }
        });
      },
      of);
  if (auto* joining = std::get_if<AgglomerativeOptions>(&of);
      joining != nullptr && joining->distance_threshold)
    joining->n_clusters.reset();
  require(found, Fault::argument,
          std::string(kind()) + " has no option " + std::string(name) + "; it has " + names);
}

std::vector<MethodOptionHelp> method_option_helps() {
  std::vector<MethodOptionHelp> all;
  each_method([&]<class S>(StageOf<S>) {
    typename S::Options options;
    const auto defaults = list_fields(options);
    Index place = 0;
    fields(options, [&](const char* name, const auto&, const char* help) {
      const std::string value = as_text(defaults[place++].value);
      const auto known = std::ranges::find_if(all, [&](const MethodOptionHelp& o) {
        return o.name == name && o.help == help && o.value == value;
      });
      if (known == all.end())
        all.push_back({name, help, {S::kind}, value});
      else
        known->methods.push_back(S::kind);
    });
  });
  return all;
}

std::vector<Field> MethodOptions::list() const {
  return std::visit([](const auto& o) { return list_fields(o); }, of);
}

std::vector<std::string_view> method_names() {
  std::vector<std::string_view> names;
  each_method([&]<class S>(StageOf<S>) { names.push_back(S::kind); });
  return names;
}

namespace {
template <Index i = 0>
void set_alternative(MethodOptions& options, Index wanted) {
  if constexpr (i < std::variant_size_v<decltype(options.of)>) {
    if (i == wanted)
      options.of.emplace<i>();
    else
      set_alternative<i + 1>(options, wanted);
  }
}
}  // namespace

std::optional<MethodOptions> method_named(std::string_view name) {
  const auto names = method_names();
  for (Index i = 0; i < names.size(); ++i) {
    if (names[i] != name) continue;
    MethodOptions options;
    set_alternative(options, i);
    return options;
  }
  return std::nullopt;
}

AnyClusterer fit_clusterer(const Rows& x, const MethodOptions& options, const Run& run) {
  std::optional<AnyClusterer> fitted;
  with_stage(options, [&]<class S>(StageOf<S>) {
    std::visit(
        [&]<class O>(const O& o) {
          if constexpr (std::is_same_v<O, typename S::Options>) fitted = S::fit(x, o, run);
        },
        options.of);
  });
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
  each_method([&]<class S>(StageOf<S>) {
    if (kind == S::kind) loaded = S::load(in);
  });
  if (!loaded) throw Error(Fault::format, path.string() + ": '" + kind + "' is no method of clustering");
  return std::move(*loaded);
}

}  // namespace shoal
