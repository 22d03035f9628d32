#include "shoal/flow/cluster_folder.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "shoal/core/error.h"
#include "shoal/flow/plot_points.h"
#include "shoal/flow/report_json_impl.h"
#include "shoal/map/svg.h"
#include "shoal/store/archive/archive.h"

namespace shoal {
namespace fs = std::filesystem;
namespace {

using Json = nlohmann::ordered_json;

std::string name_of_cluster(const ClusterRecord& c) {
  return c.name.empty() ? "cluster " + std::to_string(c.id) : c.name;
}

std::string line(const std::string& what, const std::string& value) {
  return "<tr><th>" + escaped(what) + "</th><td>" + escaped(value) + "</td></tr>\n";
}

/// A value as people read it; numbers as in the JSON.
std::string words(const Json& value) {
  return value.is_null() ? "none" : value.is_string() ? value.get<std::string>() : value.dump();
}

std::string made_table(const Json& report) {
  std::string settings, before;
  if (const Json& pca = report["pca"]; !pca.is_null())
    before = "PCA to " + words(pca["n_components"]) + " components, " +
             short_number(100 * pca["explained_variance_ratio"].get<double>(), 4) + "% of variance";
  if (report["standardise"].get<bool>()) before += before.empty() ? "standardised" : ", standardised";
  for (const auto& [name, value] : report["options"].items())
    if (name != "seed") settings += (settings.empty() ? "" : ", ") + name + " " + words(value);
  return "<h2>How it was made</h2>\n<table>\n" + line("input", words(report["input"])) +
         line("columns", words(report["dims"])) +
         line("before the method", before.empty() ? "nothing" : before) +
         line("method", words(report["method_title"]) + " (" + settings + ")") +
         line("seed", words(report["seed"])) + line("by", words(report["made_by"])) + "</table>\n";
}

std::string measures_table(const Json& report) {
  std::string out = "<table>\n" + line("Rows", words(report["rows"])) +
                    line("Clusters", words(report["n_clusters"])) +
                    line("Rows in no cluster", words(report["noise"]));
  for (const Json& figure : report["figures"])
    out += "<tr><th>" + escaped(words(figure["title"])) + "<p>" + escaped(words(figure["note"])) +
           "</p></th><td>" + escaped(words(figure["shown"])) + "</td></tr>\n";
  return out + "</table>\n";
}

std::string clusters_table(const Json& report, const std::vector<std::string>& examples) {
  const bool judged = report.contains("stability");
  std::string out = std::string("<h2>Clusters</h2>\n<table><tr><th>id</th><th>rows</th>") +
                    (judged ? "<th>stability</th>" : "") + "<th>name</th><th>most typical rows</th></tr>\n";
  for (Index i = 0; i < report["clusters"].size(); ++i) {
    const Json& c = report["clusters"][i];
    std::string typical;
    for (const Json& row : c.value("medoids", Json::array()))
      typical += (typical.empty() ? "" : ", ") + words(row);
    out += "<tr><td>" + words(c["id"]) + "</td><td>" + words(c["size"]) + "</td>";
    if (judged) out += "<td>" + words(report["stability"]["verdicts"][i]) + "</td>";
    out += "<td>" + escaped(c.value("name", "")) + "</td><td>" + typical +
           (i < examples.size() ? "<br>" + escaped(examples[i]) : "") + "</td></tr>\n";
  }
  return out + "</table>\n";
}

std::string choice_text(const Json& report) {
  std::string out = "<h2>Why " + words(report["n_clusters"]) + " clusters?</h2>\n<p>" +
                    escaped(words(report["why"])) + "</p>\n";
  if (report["against"].empty()) return out + "<p>Nothing that was measured speaks against them.</p>\n";
  out += "<p>Against them speaks:</p>\n<ul>\n";
  for (const Json& reason : report["against"]) out += "<li>" + escaped(words(reason["text"])) + "</li>\n";
  return out + "</ul>\n";
}

/// Every criterion over the numbers tried, its own pick marked.
std::string criterion_plot(const Json& report) {
  std::vector<double> x;
  for (const Json& t : report["tried"]) x.push_back(t["n_clusters"].get<double>());
  std::vector<PlotCurve> curves;
  for (const Json& curve : report["curves"]) {
    std::vector<double> y;
    for (const Json& v : curve["values"]) y.push_back(v.is_null() ? std::nan("") : v.get<double>());
    const auto place = std::ranges::find(x, curve["n_clusters"].get<double>()) - x.begin();
    std::string name = words(curve["title"]) + ": " + words(curve["better"]) + " is better";
    if (curve["criterion"] == report["chosen"]["criterion"]) name += " (chosen by this)";
    curves.push_back({name, x, y, static_cast<Index>(place)});
  }
  return curves_svg({"How many clusters?", "clusters", ""}, curves);
}

std::vector<std::pair<std::string, std::string>> draw(const Json& json, const ClusterReport& report,
                                                      const ClusterOptions& options,
                                                      const ClusterPlots& plots) {
  std::vector<std::pair<std::string, std::string>> out;
  if (report.found.chosen) out.push_back({"criterion.svg", criterion_plot(json)});
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
  const Json json = report_json(report, options);
  std::string body = choice_text(json) + measures_table(json);
  for (const auto& [name, svg] : draw(json, report, options, plots)) {
    write_file(folder / name, svg);
    body += "<figure>" + svg + "</figure>\n";
  }
  body += clusters_table(json, report.examples) + made_table(json);
  const std::string title = words(json["n_clusters"]) + " clusters of " + words(json["rows"]) + " rows by " +
                            words(json["method_title"]);
  write_file(
      folder / "report.html",
      "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>" + escaped(title) +
          "</title>\n<style>body{font:15px/1.5 system-ui,sans-serif;max-width:920px;margin:2rem "
          "auto;padding:0 1rem;color:#1d2530;background:#fff}table{border-collapse:collapse}th,td{text-"
          "align:left;padding:.2rem .8rem .2rem 0;border-bottom:1px solid #8883;vertical-align:top}"
          "th p{margin:0;font-weight:400;opacity:.75}"
          "figure{margin:1.5rem 0;overflow:auto}svg{max-width:100%;height:auto}@media(prefers-color-"
          "scheme:dark){body{background:#12161c;color:#e4e8ee}}</style>\n<h1>" +
          escaped(title) + "</h1>\n" + body + "</html>\n");
  write_file(folder / kClusterMark, report_text(json));
}

const char* cluster_mark(const fs::path& folder) {
  return !fs::exists(folder / kClusterMark) && fs::exists(folder / kOldClusterMark) ? kOldClusterMark
                                                                                    : kClusterMark;
}

ClusterFacts read_facts(const fs::path& folder) {
  const fs::path path = folder / cluster_mark(folder);
  require(fs::is_directory(folder), Fault::file, folder.string() + ": no such folder");
  require(!Collection::exists(folder), Fault::format,
          folder.string() + " is a collection, not a folder that 'shoal cluster' made");
  require(fs::exists(path), Fault::format,
          folder.string() + " was not made by 'shoal cluster': there is no " + kClusterMark + " in it");
  try {
    const Json in = Json::parse(read_file(path, Index{256} << 20));
    require(in.at("format") == kClustersFormat && in.at("version") <= kClustersVersion, Fault::format,
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
