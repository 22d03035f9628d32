#include "shoal/flow/cluster.h"

#include <charconv>
#include <cstdio>

#include "shoal/core/error.h"
#include "shoal/flow/cluster_report.h"
#include "shoal/store/archive.h"
#include "verbs/verbs.h"

namespace shoal::cli {
namespace {

struct ClusterFlags {
  std::string input, out, method = "spherical_kmeans", clusters = "auto", pca;
  bool criterion_given = false;
  std::vector<std::pair<std::string, std::string>> settings;  // options of the method
  ClusterOptions options;
};

std::optional<Index> whole(std::string_view text) {
  Index value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// auto, K or A..B.
void take_clusters(const std::string& given, const CLI::Option& flag, ClusterOptions& options) {
  const bool said = flag.count() > 0;
  if (given == "auto") {
    options.choose_n_clusters = said || options.method.takes_n_clusters();
    return;
  }
  const auto dots = given.find("..");
  if (dots != std::string::npos) {
    const auto min = whole(given.substr(0, dots)), max = whole(given.substr(dots + 2));
    if (min && max) {
      options.choose_n_clusters = true;
      options.range = {*min, *max};
      return;
    }
  } else if (const auto k = whole(given); k && *k >= 1) {
    options.method.set_n_clusters(*k);
    return;
  }
  throw Error(Fault::argument,
              "--clusters: '" + given + "' is not auto, a whole number from 1, or a range as 5..40");
}

/// A share of variance (0.95) or a number of components (80).
void take_pca(const std::string& given, ClusterOptions& options) {
  if (given.empty()) return;
  options.pca.emplace();
  if (const auto components = whole(given); components && *components >= 2) {
    options.pca->n_components = *components;
    return;
  }
  double share = 0;
  const auto [end, error] = std::from_chars(given.data(), given.data() + given.size(), share);
  require(error == std::errc() && end == given.data() + given.size() && share > 0 && share <= 1,
          Fault::argument,
          "--pca: '" + given +
              "' is neither a share of variance above 0 and at most 1 nor a number of "
              "components from 2");
  options.pca->variance = share;
}

MethodOptions method_of(const ClusterFlags& flags) {
  auto method = method_named(flags.method);
  for (const auto& [name, value] : flags.settings) {
    try {
      method->set(name, value);
    } catch (const Error& e) {
      throw Error(e.fault, "--method " + flags.method + ": " + e.what());
    }
  }
  return *method;
}

std::string measure_words(const ClusterReport& report) {
  if (!report.measures) return "";
  const Separation& m = *report.measures;
  std::string out;
  if (m.silhouette) out += "silhouette " + short_number(*m.silhouette, 4) + ", ";
  out += "Davies-Bouldin " + short_number(m.davies_bouldin, 4) + ", sizes from " + with_commas(m.smallest) +
         " to " + with_commas(m.largest) + "\n";
  if (report.stability)
    out += "stability " + short_number(report.stability->mean, 4) + " (adjusted Rand index over " +
           std::to_string(report.stability->adjusted_rand.size()) + " resamples)\n";
  return out;
}

std::string in_words(const ClusterReport& report, const Progress& progress) {
  std::string out =
      with_commas(report.rows) + " rows, " + with_commas(report.n_clusters) + " clusters by " + report.method;
  if (report.noise > 0) out += ", " + with_commas(report.noise) + " rows in none";
  if (report.components != report.dims)
    out += ", " + std::to_string(report.components) + " of " + std::to_string(report.dims) + " dimensions";
  out += "\n";
  if (report.chosen) {
    out += report.chosen->why + "\n";
    for (const std::string& reason : report.chosen->against) out += "  but: " + reason + "\n";
  }
  out += measure_words(report);
  if (report.held_out)
    out += "of the clustered rows that it had not seen, the classifier puts " +
           short_number(100 * report.held_out->agreement, 4) + "% where they are, and calls " +
           short_number(100 * report.held_out->unlike, 4) + "% unlike any cluster\n";
  if (!report.without_classifier.empty()) out += "no classifier: " + report.without_classifier + "\n";
  out += "time: " + duration(progress.seconds());
  for (const auto& [step, seconds] : progress.steps())
    if (seconds >= 0.05) out += ", " + step + " " + duration(seconds);
  return out + "\nopen " + (report.out / "report.html").string() + " in a browser\n";
}

void run_cluster(ClusterFlags& flags, const CLI::Option& clusters, const CLI::Option& out_flag,
                 Session& session) {
  ClusterOptions& options = flags.options;
  options.input = flags.input;
  require(out_flag.count() == 0 || !flags.out.empty(), Fault::argument,
          "--out is empty; it names the folder to make");
  options.out = flags.out.empty() ? beside_input(flags.input, ".clusters") : std::filesystem::path(flags.out);
  options.method = method_of(flags);
  take_clusters(flags.clusters, clusters, options);
  take_pca(flags.pca, options);
  require(!flags.criterion_given || options.method.takes_n_clusters(), Fault::argument,
          "--criterion chooses a number of clusters, and " + flags.method + " finds its own here");
  require(!flags.criterion_given || options.choose_n_clusters, Fault::argument,
          "--criterion chooses the number of clusters; give it with --clusters auto or a range");
  const ClusterReport report = cluster(options, session.run());
  session.progress().finish();
  auto object = nlohmann::ordered_json::parse(read_file(report.out / kClusterMark, std::size_t{1} << 30));
  object["out"] = report.out.string();
  object["seconds_total"] = session.progress().seconds();
  session.answer(object, in_words(report, session.progress()));
}

/// A flag for each option of any method but those that have flags of their own.
void add_method_options(CLI::App& verb, const std::shared_ptr<ClusterFlags>& flags) {
  const auto helps = method_option_helps();
  std::vector<std::string> names;
  for (const MethodOptionHelp& option : helps)
    if (option.name != "n_clusters" && option.name != "seed" &&
        std::ranges::find(names, option.name) == names.end())
      names.push_back(option.name);
  for (const std::string& name : names) {
    std::string flag = "--" + name, help;
    std::ranges::replace(flag, '_', '-');
    for (const MethodOptionHelp& option : helps) {
      if (option.name != name) continue;
      help += (help.empty() ? "" : "; ") + option.help +
              (option.value.empty() ? "" : ". Default: " + option.value) + " (";
      for (Index i = 0; i < option.methods.size(); ++i)
        help += (i == 0 ? "" : ", ") + std::string(option.methods[i]);
      help += ")";
    }
    verb.add_option_function<std::string>(
            flag, [flags, name](const std::string& value) { flags->settings.emplace_back(name, value); },
            help)
        ->type_name("VALUE")
        ->group("Options of methods");
  }
}

}  // namespace

void add_cluster(CLI::App& app, Session& session) {
  auto flags = std::make_shared<ClusterFlags>();
  ClusterOptions& o = flags->options;
  auto* verb = app.add_subcommand("cluster", "Vectors into clusters: how many and why, how good, how stable");
  verb->footer(
      "INPUT is a file of vectors (.npy or .safetensors), a folder of such files, which are read one\n"
      "after another as if they were one, or a collection. The result is a folder: report.html to look at,\n"
      "shoal.json with the same for programs, labels.csv (row, cluster, distance, probability, unlike), the\n"
      "plots, and the fitted stages, by which 'shoal classify predict' places other vectors.\n\n"
      "Examples:\n"
      "  shoal cluster reviews.shoal                       spherical k-means, the number by the silhouette\n"
      "  shoal cluster vectors/ --pca 0.95 --standardise --method agglomerative --metric cosine \\\n"
      "        --clusters auto --criterion davies_bouldin --classifier logistic --out topics\n"
      "  shoal cluster x.npy --method hdbscan --pca 20 --min-cluster-size 30\n"
      "  shoal cluster x.npy --clusters 5..40 --criterion stability --resamples 10\n"
      "  shoal classify predict topics other-vectors/");
  verb->add_option("input", flags->input, "Vectors: a file, a folder of files, or a collection")
      ->required()
      ->type_name("INPUT");
  auto* out_flag =
      verb->add_option("--out", flags->out,
                       "The folder to make. Default: the input's name with .clusters, in the current folder")
          ->type_name("DIR");
  verb->add_flag("--overwrite", o.overwrite, "Replace a folder that this command has made");
  verb->add_option("--pca", flags->pca,
                   "Reduce first: to a share of variance (0.95) or to so many components (80)")
      ->type_name("SHARE|N");
  verb->add_flag("--standardise", o.standardise, "Then give each column mean 0 and deviation 1");
  std::vector<std::string> names;
  for (const auto name : method_names()) names.emplace_back(name);
  verb->add_option("--method", flags->method, "The method: " + CLI::detail::join(names, ", "))
      ->check(quietly(CLI::IsMember(names)))
      ->type_name("NAME")
      ->capture_default_str();
  auto* clusters =
      verb->add_option(
              "--clusters", flags->clusters,
              "How many: a number, 'auto', or a range as 5..40 in which every number is tried. Not for "
              "methods that find it themselves")
          ->type_name("K|A..B|auto")
          ->capture_default_str();
  const std::vector<std::string> criteria = {
      "davies_bouldin", "davies_bouldin_cosine", "silhouette", "calinski_harabasz", "elbow", "stability"};
  add_choice(
      *verb, "--criterion", criteria,
      [flags](std::size_t chosen) {
        flags->options.criterion = static_cast<Criterion>(chosen);
        flags->criterion_given = true;
      },
      "What chooses the number: " + CLI::detail::join(criteria, ", ") + ". Default: silhouette");
  verb->add_option(
          "--resamples", o.resamples,
          "Cluster so many random parts of the rows too, to say how stable the clusters are. 0: do not")
      ->check(quietly(CLI::Range(0, 10000)))
      ->type_name("N")
      ->capture_default_str();
  add_choice(
      *verb, "--classifier", {"logistic", "nearest", "none"},
      [flags](std::size_t chosen) {
        if (chosen == 2)
          flags->options.classifier.reset();
        else
          flags->options.classifier = static_cast<ClassifierRule>(chosen);
      },
      "How new rows are placed: logistic (multinomial, on the distances to all centroids; default), nearest "
      "(centroid) or none");
  verb->add_option("--unlike", o.unlike_quantile,
                   "A row further from its nearest centroid than this share of the rows there is unlike any "
                   "cluster; 0: none is")
      ->check(quietly(CLI::Range(0.0, 1.0)))
      ->type_name("SHARE")
      ->capture_default_str();
  add_choice(
      *verb, "--layout", {"tsne", "umap", "none"},
      [flags](std::size_t chosen) { flags->options.layout = static_cast<PlotLayout>(chosen); },
      "The map in the report: tsne (default), umap or none");
  verb->add_option("--seed", o.seed.value, "Start of all randomness")->type_name("S")->capture_default_str();
  add_method_options(*verb, flags);
  add_shared(*verb, session);
  verb->callback(
      [flags, clusters, out_flag, &session] { run_cluster(*flags, *clusters, *out_flag, session); });
}

}  // namespace shoal::cli
