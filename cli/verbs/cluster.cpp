#include "shoal/flow/folders/cluster_vectors.h"

#include <charconv>

#include "shoal/core/error.h"
#include "shoal/flow/folders/cluster_folder.h"
#include "verbs/method_flags.h"
#include "verbs/verbs.h"

namespace shoal::cli {
namespace {

struct ClusterFlags {
  std::string input, out, pca, profile;
  ClusteringFlags clusters;
  ClusterOptions options;
};

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
          "--pca is '" + given +
              "'; allowed: a share of variance, above 0 and at most 1, or a number of components from 2");
  options.pca->variance = share;
}

std::string in_words(const ClusterReport& report, const nlohmann::ordered_json& object,
                     const Progress& progress) {
  std::string out = with_commas(report.rows) + " rows, " + with_commas(report.found.n_clusters) +
                    " clusters by " + std::string(report.found.method.kind());
  if (report.found.noise > 0) out += ", " + with_commas(report.found.noise) + " rows in none";
  if (report.components != report.dims)
    out += ", " + std::to_string(report.components) + " of " + std::to_string(report.dims) + " dimensions";
  out += "\n" + findings_in_words(object);
  if (report.held_out)
    out += "held-out rows: the classifier agrees with the clusters on " +
           short_number(100 * report.held_out->agreement, 4) + "% of them, and calls " +
           short_number(100 * report.held_out->unlike, 4) + "% unlike any cluster\n";
  if (!report.without_classifier.empty()) out += "no classifier: " + report.without_classifier + "\n";
  return out + time_line(progress) + "\nopen " + (report.out / "report.html").string() + " in a browser\n";
}

void run_cluster(ClusterFlags& flags, const CLI::App& verb, Session& session) {
  ClusterOptions& options = flags.options;
  options.input = flags.input;
  require(verb.count("--out") == 0 || !flags.out.empty(), Fault::argument,
          "--out is empty; it names the folder to make");
  options.out = flags.out.empty() ? beside_input(flags.input, ".clusters") : std::filesystem::path(flags.out);
  options.profile = flags.profile;
  options.clusters.choose = true;  // unless a number is given, or the method takes none
  take_clustering(verb, flags.clusters, options.clusters);
  take_pca(flags.pca, options);
  const ClusterReport report = cluster_vectors(options, session.run());
  session.progress().finish();
  auto object = made_json(report.out, kClusterMark, session);
  object["done_before"] = report.done_before;
  if (report.done_before) return session.answer(object, done_before(report.out));
  remark_converted(session, report.converted_from);
  session.answer(object, in_words(report, object, session.progress()));
}

}  // namespace

void add_cluster(CLI::App& app, Session& session) {
  auto flags = std::make_shared<ClusterFlags>();
  ClusterOptions& o = flags->options;
  auto* verb = app.add_subcommand("cluster", "Vectors into clusters: how many and why, how good, how stable");
  verb->footer(
      "INPUT is a file of vectors (.npy, .npz, .safetensors or .parquet), a folder of such files, which are "
      "read one\n"
      "after another as if they were one, or a collection. The result is a folder: report.html to look at,\n"
      "report.json with the same for programs, labels.csv (row, cluster, distance, probability, unlike), "
      "the\n"
      "plots, and the fitted stages, by which 'shoal classify predict' places other vectors. It is the\n"
      "verb for vectors without texts, and for a study beside a map; 'shoal map' takes the same options of\n"
      "methods and their number for the clusters of the map itself.\n\n"
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
  verb->add_option("--out", flags->out,
                   "The folder to make. Default: the input's name with .clusters, in the current folder")
      ->type_name("DIR");
  verb->add_flag("--overwrite", o.overwrite, "Replace a folder that this command has made");
  verb->add_option("--pca", flags->pca,
                   "Reduce first: to a share of variance (0.95) or to so many components (80)")
      ->type_name("SHARE|N");
  verb->add_option(
          "--profile", flags->profile,
          "See the vectors through a profile of 'shoal personalise'; so will 'shoal classify predict'")
      ->type_name("FILE");
  add_clustering(*verb, session, flags->clusters, "auto");
  add_options(*verb, session, option_refs(o), {{"unlike_quantile", "--unlike"}});
  add_shared(*verb, session);
  verb->callback([flags, verb, &session] { run_cluster(*flags, *verb, session); });
}

}  // namespace shoal::cli
