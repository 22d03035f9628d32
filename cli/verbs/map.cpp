#include "shoal/flow/map.h"

#include <cstdio>

#include "shoal/core/error.h"
#include "shoal/flow/models.h"
#include "verbs/verbs.h"

namespace shoal::cli {
namespace {

struct MapFlags {
  std::vector<std::string> inputs;
  std::string out, model;
  MapOptions options;
};

/// reviews.csv -> reviews.shoal, in the current folder; a collection stands for itself.
std::filesystem::path default_out(const std::vector<std::string>& inputs) {
  require(inputs.size() == 1 && inputs.front() != "-", Fault::argument,
          "--out NAME.shoal is needed for standard input and for several files");
  const std::filesystem::path input = inputs.front();
  return Collection::exists(input) ? input : input.filename().replace_extension(".shoal");
}

std::string percent(double share) {
  char buffer[16];
  std::snprintf(buffer, sizeof buffer, "%.1f%%", 100 * share);
  return buffer;
}

std::string in_words(const MapReport& report, const Progress& progress) {
  std::string out = with_commas(report.rows) + " texts, " + std::to_string(report.clusters.size()) +
                    " clusters in " + std::to_string(report.groups.size()) + " groups, " +
                    std::to_string(report.components) + " of " + std::to_string(report.dims) +
                    " dimensions keep " + percent(report.variance) + " of variance\n";
  out += "time: " + duration(progress.seconds());
  for (const auto& [step, seconds] : progress.steps())
    if (seconds >= 0.05) out += ", " + step + " " + duration(seconds);
  out += "\nlargest clusters:\n";
  std::vector<ClusterRow> largest = report.clusters;
  std::ranges::stable_sort(largest, std::greater{}, &ClusterRow::size);
  for (Index i = 0; i < std::min<Index>(10, largest.size()); ++i) {
    char size[24];
    std::snprintf(size, sizeof size, "%9s  ", with_commas(largest[i].size).c_str());
    out += size + largest[i].name + "\n";
  }
  return out + "open " + report.page.string() + " in a browser\n";
}

nlohmann::ordered_json in_json(const MapReport& report, const MapOptions& options, const Progress& progress) {
  nlohmann::ordered_json clusters = nlohmann::ordered_json::array(), seconds;
  for (const auto& c : report.clusters)
    clusters.push_back({{"id", c.id},
                        {"name", c.name},
                        {"words", c.words},
                        {"size", c.size},
                        {"group", report.groups[static_cast<Index>(c.group)].name}});
  for (const auto& [step, time] : progress.steps()) seconds[step] = time;
  return {{"collection", options.out.string()},
          {"page", report.page.string()},
          {"rows", report.rows},
          {"text_columns", report.text_columns},
          {"read", to_json(report.read)},
          {"dims", report.dims},
          {"n_components", report.components},
          {"explained_variance_ratio", report.variance},
          {"n_clusters", report.clusters.size()},
          {"mean_cosine", report.objective},
          {"n_iter", report.n_iter},
          {"done_before", report.done_before},
          {"clusters", clusters},
          {"seconds", seconds},
          {"seconds_total", progress.seconds()}};
}

void run_map(MapFlags& flags, Session& session) {
  MapOptions& options = flags.options;
  options.out = flags.out.empty() ? default_out(flags.inputs) : std::filesystem::path(flags.out);
  if (flags.inputs.size() == 1 && Collection::exists(flags.inputs.front())) {
    require(flags.out.empty() || std::filesystem::path(flags.out) == flags.inputs.front(), Fault::argument,
            flags.inputs.front() + " is a collection: it is mapped where it stands, without --out");
  } else {
    options.inputs.assign(flags.inputs.begin(), flags.inputs.end());
  }
  options.model = find_model(flags.model, models_folder());
  const MapReport report = map(options, session.run());
  session.progress().finish();
  remark_report(session, report.read);
  session.answer(in_json(report, options, session.progress()), in_words(report, session.progress()));
}

}  // namespace

void add_map(CLI::App& app, Session& session) {
  auto flags = std::make_shared<MapFlags>();
  auto* verb = app.add_subcommand("map", "From texts to a map: embed, reduce, cluster, name, lay out");
  verb->footer(
      "The result is a collection, a folder NAME.shoal with map.html in it. Interrupted, the same command "
      "goes on\n"
      "where it stopped; repeated with other options, only what depends on them is done again.\n\n"
      "Examples:\n"
      "  shoal map reviews.csv                             the text column is found, the map is "
      "reviews.shoal/map.html\n"
      "  shoal map questions.jsonl --text body --clusters 80 --out questions.shoal\n"
      "  shoal map questions.shoal --clusters 40           the same texts, fewer clusters\n"
      "  zcat log.gz | shoal map - --out log.shoal");
  verb->add_option("input", flags->inputs,
                   "CSV, TSV, JSONL or plain lines; - is standard input; or a collection")
      ->required()
      ->type_name("INPUT");
  MapOptions& o = flags->options;
  verb->add_option("--out", flags->out,
                   "The collection. Default: the input's name with .shoal, in the current folder")
      ->type_name("NAME.shoal");
  verb->add_flag("--overwrite", o.overwrite, "Start anew if the collection exists");
  add_model_option(*verb, flags->model);
  add_reading(*verb, o.read);
  add_encoding(*verb, o.encode);
  verb->add_option("--clusters", o.n_clusters, "Clusters to find. Default: about sqrt(rows / 6), at most 500")
      ->check(quietly(CLI::PositiveNumber))
      ->type_name("K");
  verb->add_option("--variance", o.pca.variance, "Share of variance that PCA keeps, above 0 and at most 1")
      ->type_name("SHARE")
      ->capture_default_str();
  verb->add_option("--n-neighbors", o.umap.n_neighbors,
                   "Neighbours a text in the layout: more show the whole, fewer the detail")
      ->check(quietly(CLI::Range(2, 1000)))
      ->type_name("N")
      ->capture_default_str();
  verb->add_option("--min-dist", o.umap.min_dist, "How close points may lie in the layout, 0 to 1")
      ->check(quietly(CLI::Range(0.0f, 1.0f)))
      ->type_name("D")
      ->capture_default_str();
  verb->add_option("--title", o.title, "Title of the page. Default: the collection's name")
      ->type_name("TEXT");
  verb->add_option("--color", o.color,
                   "Column that the page can colour by. Default: the first with few values")
      ->type_name("COLUMN");
  verb->add_option("--seed", o.seed.value, "Start of all randomness")->type_name("S")->capture_default_str();
  add_shared(*verb, session);
  verb->callback([flags, &session] { run_map(*flags, session); });
}

}  // namespace shoal::cli
