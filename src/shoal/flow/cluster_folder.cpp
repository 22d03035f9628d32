#include "shoal/flow/cluster_folder.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "shoal/core/error.h"
#include "shoal/flow/findings_json_impl.h"
#include "shoal/flow/plot_points.h"
#include "shoal/map/svg.h"
#include "shoal/store/archive/archive.h"

namespace shoal {
namespace fs = std::filesystem;
namespace {

using Json = nlohmann::ordered_json;

Json report_json(const ClusterReport& report, const ClusterOptions& options) {
  Json clusters = Json::array();
  for (const ClusterRecord& c : report.clusters) {
    Json one{{"id", c.id}, {"size", c.size}, {"medoids", c.medoids}};
    if (!c.name.empty()) one["name"] = c.name, one["words"] = c.words;
    clusters.push_back(one);
  }
  Json out{{"format", kClustersFormat},
           {"version", kClustersVersion},
           {"made_by", "shoal " SHOAL_VERSION},
           {"input", options.input.string()},
           {"rows", report.rows},
           {"dims", report.dims},
           {"pca", nullptr},
           {"standardise", options.standardise},
           {"seed", options.seed.value}};
  if (options.pca)
    out["pca"] = {{"n_components", report.components}, {"explained_variance_ratio", report.variance}};
  out.update(to_json(report.found));
  out["classifier"] = nullptr;
  if (options.classifier && report.without_classifier.empty()) {
    out["classifier"] = {{"rule", name_of(*options.classifier)},
                         {"training_agreement", number_json(report.training_agreement)},
                         {"unlike_quantile", options.unlike_quantile}};
    if (report.held_out)
      out["classifier"]["held_out"] = {{"agreement", number_json(report.held_out->agreement)},
                                       {"unlike", number_json(report.held_out->unlike)},
                                       {"folds", report.held_out->folds}};
  }
  out["clusters"] = clusters;
  return out;
}

std::string name_of_cluster(const ClusterRecord& c) {
  return c.name.empty() ? "cluster " + std::to_string(c.id) : c.name;
}

std::string line(const std::string& what, const std::string& value) {
  return "<tr><th>" + escaped(what) + "</th><td>" + escaped(value) + "</td></tr>\n";
}

std::string text_of(const FieldValue& value) {
  return std::visit(
      []<class T>(const T& v) -> std::string {
        if constexpr (std::is_same_v<T, std::monostate>)
          return "none";
        else if constexpr (std::is_same_v<T, bool>)
          return v ? "true" : "false";
        else if constexpr (std::is_same_v<T, double>)
          return short_number(v);
        else if constexpr (std::is_same_v<T, std::int64_t>)
          return std::to_string(v);
        else
          return v;
      },
      value);
}

std::string made_table(const ClusterReport& report, const ClusterOptions& options) {
  std::string settings, before = options.pca
                                     ? "PCA to " + std::to_string(report.components) + " components, " +
                                           short_number(100 * report.variance, 4) + "% of variance"
                                     : "";
  if (options.standardise) before += before.empty() ? "standardised" : ", standardised";
  for (const Field& f : report.found.method.list())
    if (f.name != "seed") settings += (settings.empty() ? "" : ", ") + f.name + " " + text_of(f.value);
  return "<h2>How it was made</h2>\n<table>\n" + line("input", options.input.string()) +
         line("columns", std::to_string(report.dims)) +
         line("before the method", before.empty() ? "nothing" : before) +
         line("method", std::string(report.found.method.kind()) + " (" + settings + ")") +
         line("seed", std::to_string(options.seed.value)) + line("by", "shoal " SHOAL_VERSION) + "</table>\n";
}

std::string measures_table(const ClusterReport& report) {
  const ClusterFindings& found = report.found;
  std::string out = "<table>\n" + line("rows", std::to_string(report.rows)) +
                    line("clusters", std::to_string(found.n_clusters)) +
                    line("rows in no cluster", std::to_string(found.noise));
  if (found.measures) {
    const Separation& m = *found.measures;
    if (m.silhouette)
      out += line(std::string("silhouette, ") + name_of(found.method.metric()) + " (-1 to 1, high is good)",
                  short_number(*m.silhouette, 4));
    out +=
        line("Davies-Bouldin (low is good)", short_number(m.davies_bouldin, 4)) +
        line("Davies-Bouldin by cosine (low is good)", short_number(m.davies_bouldin_cosine, 4)) +
        line("Calinski-Harabasz (high is good)", short_number(m.calinski_harabasz, 4)) +
        line("balance of sizes (1: all equal)", short_number(m.balance, 4)) +
        line("smallest and largest cluster", std::to_string(m.smallest) + ", " + std::to_string(m.largest));
  }
  if (found.stability)
    out += line("stability: adjusted Rand index over resamples",
                short_number(found.stability->mean, 4) + " (spread " +
                    short_number(found.stability->spread, 4) + ")");
  if (found.placement)
    out += line("the method's own rule for new rows (in the library) agrees with the labels",
                short_number(*found.placement, 4));
  if (report.held_out)
    out += line("of the clustered rows that it had not seen, the classifier puts where they are",
                short_number(report.held_out->agreement, 4)) +
           line("and calls unlike any cluster", short_number(report.held_out->unlike, 4));
  return out + "</table>\n";
}

std::string clusters_table(const ClusterReport& report) {
  std::string out =
      "<h2>Clusters</h2>\n<table><tr><th>id</th><th>rows</th><th>name</th><th>most typical "
      "rows</th></tr>\n";
  Index i = 0;
  for (const ClusterRecord& c : report.clusters) {
    std::string typical;
    for (const Index row : c.medoids) typical += (typical.empty() ? "" : ", ") + std::to_string(row);
    out += "<tr><td>" + std::to_string(c.id) + "</td><td>" + std::to_string(c.size) + "</td><td>" +
           escaped(c.name) + "</td><td>" + typical +
           (i < report.examples.size() ? "<br>" + escaped(report.examples[i]) : "") + "</td></tr>\n";
    ++i;
  }
  return out + "</table>\n";
}

std::string choice_text(const ClusterFindings& found) {
  std::string out;
  if (found.chosen)
    out += "<h2>Why " + std::to_string(found.chosen->n_clusters) + " clusters?</h2>\n<p>" +
           escaped(found.chosen->why) + "</p>\n";
  else
    out += "<h2>How far to trust them?</h2>\n";
  if (found.against.empty()) return out + "<p>Nothing that was measured speaks against them.</p>\n";
  out += "<p>Against them speaks:</p>\n<ul>\n";
  for (const std::string& reason : found.against) out += "<li>" + escaped(reason) + "</li>\n";
  return out + "</ul>\n";
}

/// Every criterion over the numbers tried, its own pick marked.
std::string criterion_plot(const ClusterFindings& found) {
  std::vector<double> x;
  for (const TriedK& t : found.tried) x.push_back(static_cast<double>(t.n_clusters));
  std::vector<PlotCurve> curves;
  for (const Pick& pick : found.chosen->picks) {
    const auto place = std::ranges::find(x, static_cast<double>(pick.n_clusters)) - x.begin();
    std::string name = name_of(pick.criterion);
    if (pick.criterion == found.chosen->criterion) name += " (chosen by this)";
    curves.push_back({name, x, criterion_values(pick.criterion, found.tried), static_cast<Index>(place)});
  }
  return curves_svg({"How many clusters?", "clusters", ""}, curves);
}

std::vector<std::pair<std::string, std::string>> draw(const ClusterReport& report,
                                                      const ClusterOptions& options,
                                                      const ClusterPlots& plots) {
  std::vector<std::pair<std::string, std::string>> out;
  if (report.found.chosen) out.push_back({"criterion.svg", criterion_plot(report.found)});
  if (plots.points.rows() > 0) {
    std::vector<std::string> names;
    for (const ClusterRecord& c : report.clusters)
      names.push_back(c.name.empty() ? std::to_string(c.id) : c.name);
    const std::string how = title_of(options.layout);
    out.push_back(
        {"map.svg", scatter_svg({"The rows by " + how, "", ""}, plots.points.view(), plots.labels, names)});
  }
  if (report.clusters.empty()) return out;
  std::vector<ClusterRecord> by_size = report.clusters;
  std::ranges::stable_sort(by_size, std::greater{}, &ClusterRecord::size);
  std::vector<Bar> bars;
  for (const ClusterRecord& c : by_size) bars.push_back({name_of_cluster(c), static_cast<double>(c.size)});
  out.push_back({"sizes.svg", bars_svg({"Sizes of the clusters", "clusters, largest first", "rows"}, bars)});
  out.push_back(
      {"distances.svg",
       histogram_svg({"How near rows are to their nearest centroid", "distance", "rows"}, plots.distances)});
  return out;
}

}  // namespace

void write_report(const ClusterReport& report, const ClusterOptions& options, const ClusterPlots& plots,
                  const fs::path& folder) {
  std::string body = choice_text(report.found) + measures_table(report);
  for (const auto& [name, svg] : draw(report, options, plots)) {
    write_file(folder / name, svg);
    body += "<figure>" + svg + "</figure>\n";
  }
  body += clusters_table(report) + made_table(report, options);
  const std::string title = std::to_string(report.found.n_clusters) + " clusters of " +
                            std::to_string(report.rows) + " rows by " +
                            std::string(report.found.method.kind());
  write_file(
      folder / "report.html",
      "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>" + escaped(title) +
          "</title>\n<style>body{font:15px/1.5 system-ui,sans-serif;max-width:920px;margin:2rem "
          "auto;padding:0 1rem;color:#1d2530;background:#fff}table{border-collapse:collapse}th,td{text-"
          "align:left;padding:.2rem .8rem .2rem 0;border-bottom:1px solid #8883;vertical-align:top}"
          "figure{margin:1.5rem 0;overflow:auto}svg{max-width:100%;height:auto}@media(prefers-color-"
          "scheme:dark){body{background:#12161c;color:#e4e8ee}}</style>\n<h1>" +
          escaped(title) + "</h1>\n" + body + "</html>\n");
  write_file(folder / kClusterMark,
             report_json(report, options).dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

ClusterFacts read_facts(const fs::path& folder) {
  const fs::path path = folder / kClusterMark;
  require(fs::is_directory(folder), Fault::file, folder.string() + ": no such folder");
  require(fs::exists(path), Fault::format,
          folder.string() + " was not made by 'shoal cluster': there is no " + kClusterMark + " in it");
  try {
    const Json in = Json::parse(read_file(path, Index{256} << 20));
    require(in.at("format") == kClustersFormat && in.at("version") == kClustersVersion, Fault::format,
            path.string() + " is not a report that this version of shoal reads");
    ClusterFacts facts{.pca = !in.at("pca").is_null(),
                       .standardise = in.at("standardise").get<bool>(),
                       .classifier = !in.at("classifier").is_null(),
                       .dims = in.at("dims").get<Index>(),
                       .ids = {},
                       .names = {}};
    for (const Json& c : in.at("clusters")) {
      facts.ids.push_back(c.at("id").get<Label>());
      facts.names.push_back(c.value("name", ""));
    }
    return facts;
  } catch (const nlohmann::json::exception& e) {
    throw Error(Fault::format, path.string() + " is damaged: " + e.what());
  }
}

}  // namespace shoal
