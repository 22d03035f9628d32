#include "verbs/method_flags.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "shoal/core/error.h"
#include "shoal/flow/folders/cluster_folder.h"
#include "verbs/verbs.h"

namespace shoal::cli {
namespace {

using Json = nlohmann::ordered_json;

/// What --clusters can say.
struct Asked {
  bool choose = false;
  std::optional<Index> number;
  std::optional<ClusterRange> range;
};

/// auto, K or A..B.
std::optional<Asked> asked(const std::string& given) {
  if (given == "auto") return Asked{.choose = true};
  const auto dots = given.find("..");
  if (dots == std::string::npos) {
    const auto k = whole(given);
    return k && *k >= 1 ? std::optional(Asked{.number = k}) : std::nullopt;
  }
  const auto min = whole(std::string_view(given).substr(0, dots)),
             max = whole(std::string_view(given).substr(dots + 2));
  return min && max ? std::optional(Asked{.choose = true, .range = ClusterRange{*min, *max}}) : std::nullopt;
}

/// What an option is for each of the methods that have it: one sentence for those that mean the same by it.
std::string help_of_methods(const std::string& name) {
  std::vector<std::pair<std::string, std::string>> helps;  // what is said, and of which methods
  for (MethodOptions& method : all_methods())
    for (const OptionRef& option : method.options()) {
      if (option.name != name) continue;
      std::string help = help_of(option);
      if (option.get().index() != 0)
        help += (help.back() == '?' ? " Default: " : ". Default: ") + option.text();
      const auto same = std::ranges::find(helps, help, [](const auto& known) { return known.first; });
      if (same == helps.end())
        helps.emplace_back(help, method.kind());
      else
        same->second += ", " + std::string(method.kind());
    }
  std::string out;
  for (const auto& [help, methods] : helps) out += (out.empty() ? "" : "; ") + help + " [" + methods + "]";
  return out;
}

/// A flag for each option of any method but those that have flags of their own.
void add_method_options(CLI::App& verb, ClusteringFlags& flags) {
  for (MethodOptions& method : all_methods())
    for (const OptionRef& option : method.options())
      if (option.name != "n_clusters" && option.name != "seed") flags.settings[option.name];
  for (auto& [name, value] : flags.settings)
    verb.add_option(flag_of(name), value, help_of_methods(name))
        ->type_name("VALUE")
        ->group("Options of methods");
}

void take_method(const CLI::App& verb, const ClusteringFlags& flags, MethodOptions& method) {
  // Another method than the last time begins with its own defaults.
  if (verb.count("--method") > 0 && flags.method != method.kind()) method = *method_named(flags.method);
  // A number that is given stands for the threshold of the last time.
  if (auto* joining = std::get_if<AgglomerativeOptions>(&method.of);
      joining != nullptr && verb.count("--clusters") > 0)
    joining->distance_threshold.reset();
  for (const auto& [name, value] : flags.settings)
    if (verb.count(flag_of(name)) > 0) method.set(name, value);
}

}  // namespace

std::optional<Index> whole(std::string_view text) {
  Index value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

void add_clustering(CLI::App& verb, Session& session, ClusteringFlags& flags,
                    const std::string& default_number) {
  session.flags[{&verb, "n_clusters"}] = "--clusters";
  std::vector<std::string> names;
  for (const MethodOptions& method : all_methods()) names.emplace_back(method.kind());
  verb.add_option("--method", flags.method,
                  "The method: " + CLI::detail::join(names, ", ") + ". Default: spherical_kmeans")
      ->check(allowed(
          "--method", CLI::detail::join(names, ", "),
          [names](const std::string& given) { return std::ranges::find(names, given) != names.end(); }))
      ->type_name("NAME");
  verb.add_option("--clusters", flags.clusters,
                  "How many: a number, 'auto', or a range as 5..40 in which every number is tried. Not for "
                  "methods that find it themselves. Default: " +
                      default_number)
      ->check(allowed("--clusters", "auto, a whole number from 1, or a range as 5..40",
                      [](const std::string& given) { return asked(given).has_value(); }))
      ->type_name("K|A..B|auto");
  add_options(verb, session, option_refs(flags.given));
  add_method_options(verb, flags);
}

void take_clustering(const CLI::App& verb, const ClusteringFlags& flags, ClusteringOptions& options) {
  take_method(verb, flags, options.method);
  if (verb.count("--clusters") > 0) {
    const Asked how = *asked(flags.clusters);
    options.choose = how.choose;
    options.n_clusters = how.number;
    options.range = how.range;
  } else if (!options.method.takes_n_clusters()) {  // what was asked of another method
    options.choose = false;
    options.n_clusters.reset();
    options.range.reset();
  }
  if (verb.count("--resamples") > 0) options.resamples = flags.given.resamples;
  if (!options.choose) options.criterion = ClusteringOptions{}.criterion;
  if (verb.count("--criterion") == 0) return;
  require(options.method.takes_n_clusters(), Fault::argument,
          "--criterion chooses a number of clusters, and " + std::string(options.method.kind()) +
              " finds its own here");
  require(options.choose, Fault::argument,
          "--criterion chooses the number of clusters; give it with --clusters auto or a range");
  options.criterion = flags.given.criterion;
}

std::string findings_in_words(const Json& report) {
  std::string out;
  if (report.contains("chosen")) out += report["why"].get<std::string>() + "\n";
  for (const Json& reason : report["against"]) out += "  but: " + reason["text"].get<std::string>() + "\n";
  if (report["measures"].is_null()) return out;
  const Json& m = report["measures"];
  const auto number = [](const Json& v) { return v.is_null() ? "-" : short_number(v.get<double>(), 4); };
  if (!m["silhouette"].is_null()) out += "silhouette " + number(m["silhouette"]) + ", ";
  out += "Davies-Bouldin " + number(m["davies_bouldin"]) + ", sizes from " +
         with_commas(m["smallest"].get<Index>()) + " to " + with_commas(m["largest"].get<Index>()) + "\n";
  if (report.contains("stability"))
    out += "stability " + number(report["stability"]["adjusted_rand_mean"]) + " (adjusted Rand index over " +
           std::to_string(report["stability"]["resamples"].get<Index>()) + " resamples)\n";
  return out;
}

}  // namespace shoal::cli
