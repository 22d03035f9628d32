#include "shoal/flow/folders/cluster_folder.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "shoal/core/error.h"
#include "shoal/core/with_commas.h"
#include "shoal/flow/folders/plot_points.h"
#include "shoal/flow/folders/report_json_impl.h"
#include "shoal/map/svg.h"
#include "shoal/store/archive/archive.h"

namespace shoal {
namespace fs = std::filesystem;
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kStyle =
    ":root{--text:#1d2530;--soft:#5b6472;--line:#e2e5ea;--ground:#fff;--good:#1c7c54;--fair:#8a5a00;--poor:#"
    "b3382c;"
    "color-scheme:light dark}"
    "body{margin:0;font:16px/1.55 system-ui,sans-serif;color:var(--text);background:var(--ground)}"
    "main{max-width:880px;margin:0 auto;padding:2rem 1.25rem 4rem}"
    "h1{font-size:1.9rem;line-height:1.2;margin:.5rem 0}h2{font-size:1.25rem;margin:2.6rem 0 "
    ".6rem}p{margin:.5rem 0}"
    ".lead{font-size:1.1rem}.note,td p,th p{color:var(--soft);font-size:.86rem;font-weight:400;margin:.15rem "
    "0 0}"
    ".facts{list-style:none;margin:1.2rem 0;padding:0;border-top:1px solid var(--line)}"
    ".facts li{display:flex;gap:.9rem;align-items:baseline;padding:.45rem 0;border-bottom:1px solid "
    "var(--line)}"
    ".facts span:nth-child(2){flex:1}.facts .pill{min-width:3.2rem}"
    ".pill{display:inline-block;box-sizing:border-box;padding:.05rem .6rem;border-radius:99px;border:1px "
    "solid;font-size:.82rem;"
    "font-weight:600;text-align:center;white-space:nowrap}"
    ".good{color:var(--good)}.fair{color:var(--fair)}.poor{color:var(--poor)}"
    "table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.5rem 1rem "
    ".5rem 0;"
    "border-bottom:1px solid var(--line);font-variant-numeric:tabular-nums}th{font-weight:600}"
    ".plain th{width:13rem}.clusters "
    "td:first-child{font-weight:600;min-width:9rem}.bar{display:block;height:5px;margin-top:.3rem;"
    "border-radius:3px;background:#2f6fde}"
    "figure{margin:1rem 0;overflow:auto}svg{max-width:100%;height:auto}"
    "@media(prefers-color-scheme:dark){:root{--text:#e4e8ee;--soft:#a3aab5;--line:#2b3038;--ground:#12161c;--"
    "good:#4cc38a;"
    "--fair:#e8b548;--poor:#f0776c}}"
    "@media print{h2{break-after:avoid}figure,tr{break-inside:avoid}}";

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
  return "<h2>How was it made?</h2>\n<table class=\"plain\">\n" + line("Read from", words(report["input"])) +
         line("Numbers in a row", words(report["dims"])) +
         line("Done before clustering", before.empty() ? "nothing" : before) +
         line("Method", words(report["method_title"]) + " (" + settings + ")") +
         line("Seed of random numbers", words(report["seed"])) + line("Program", words(report["made_by"])) +
         "</table>\n";
}

/// A verdict as a word in a colour; empty for none.
std::string pill(const std::string& verdict) {
  if (verdict.empty()) return "";
  const std::string kind = verdict == "good" || verdict == "very stable" || verdict == "stable" ? "good"
                           : verdict == "fair" || verdict == "doubtful"                         ? "fair"
                                                                                                : "poor";
  return "<span class=\"pill " + kind + "\">" + escaped(verdict) + "</span>";
}

std::string counted(const Json& n, const std::string& one, const std::string& many) {
  return with_commas(n.get<Index>()) + " " + (n == 1 ? one : many);
}

/// What one would say of the clusters in a few sentences.
std::string summary(const Json& report) {
  std::string out = "<p class=\"lead\">" + escaped(words(report["method_title"])) + " put " +
                    counted(report["rows"], "row", "rows") + " into " +
                    counted(report["n_clusters"], "cluster", "clusters");
  if (report["noise"] > 0)
    out += "; " + with_commas(report["noise"].get<Index>()) + " fit none and are left over";
  out += ".</p>\n<ul class=\"facts\">\n";
  for (const Json& figure : report["figures"])
    if (figure.contains("verdict"))
      out += "<li>" + pill(figure["verdict"].get<std::string>()) + "<span>" +
             escaped(words(figure["title"])) + "</span><b>" + escaped(words(figure["shown"])) + "</b></li>\n";
  return out + "</ul>\n";
}

std::string measures_table(const Json& report) {
  if (report["figures"].empty()) return "";
  std::string out = "<h2>What was measured, and what is good?</h2>\n<table>\n";
  for (const Json& figure : report["figures"])
    out += "<tr><th>" + escaped(words(figure["title"])) + "<p>" + escaped(words(figure["note"])) +
           "</p></th><td>" + escaped(words(figure["shown"])) + "</td><td>" +
           pill(figure.value("verdict", "")) + "</td></tr>\n";
  return out + "</table>\n";
}

/// The largest first: that is how one reads them.
std::string clusters_table(const Json& report, const std::vector<std::string>& examples) {
  if (report["clusters"].empty()) return "";
  const bool judged = report.contains("stability");
  std::vector<Index> order(report["clusters"].size());
  std::iota(order.begin(), order.end(), Index{0});
  const auto size = [&](Index i) { return report["clusters"][i]["size"].get<Index>(); };
  std::ranges::stable_sort(order, std::greater{}, size);
  const bool named =
      std::ranges::any_of(report["clusters"], [](const Json& c) { return c.contains("name"); });
  std::string out =
      "<h2>What is in the clusters?</h2>\n<table class=\"clusters\"><tr><th>Cluster</th><th>Rows</th>";
  if (judged) out += "<th>Comes back with other rows?</th>";
  out += "<th>" + std::string(examples.empty() ? "Its most typical rows" : "Its most typical text") +
         "</th></tr>\n";
  for (const Index i : order) {
    const Json& c = report["clusters"][i];
    std::string typical;
    for (const Json& row : c.value("medoids", Json::array()))
      typical += (typical.empty() ? "" : ", ") + words(row);
    const double share =
        static_cast<double>(size(i)) / static_cast<double>(std::max<Index>(1, size(order[0])));
    out += "<tr><td>" +
           (named ? escaped(c.value("name", "")) + "<p>number " + words(c["id"]) + "</p>" : words(c["id"])) +
           "</td><td>" + with_commas(size(i)) +
           "<i class=\"bar\" style=\"width:" + short_number(60 * share, 3) + "px\"></i></td>";
    if (judged) {
      const Json& verdict = report["stability"]["verdicts"][i];
      out += "<td>" + (verdict.is_null() ? "" : pill(verdict.get<std::string>())) + "</td>";
    }
    out += "<td>" + (i < examples.size() ? escaped(examples[i]) + "<p>row " : "<p>") + typical +
           "</p></td></tr>\n";
  }
  return out + "</table>\n<p class=\"note\">Rows are numbered from 0, as in the input; " +
         (examples.empty() ? "the" : "after each text stand the numbers of the") +
         " rows nearest to the middle of the cluster.</p>\n";
}

std::string choice_text(const Json& report) {
  std::string out = "<h2>Why " + counted(report["n_clusters"], "cluster", "clusters") + "?</h2>\n<p>" +
                    escaped(words(report["why"])) + "</p>\n";
  if (report.contains("curves"))
    out +=
        "<p>Each curve shows one way to judge the numbers that were tried. The dot is the number that it "
        "would choose."
        "</p>\n";
  return out;
}

std::string doubts(const Json& report) {
  std::string out = "<h2>What speaks against these clusters?</h2>\n";
  if (report["against"].empty()) return out + "<p>Nothing that was measured speaks against them.</p>\n";
  out += "<ul>\n";
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

/// A plot: its file, itself, and what it says.
struct Drawn {
  std::string file, svg, heading, words;
};

std::vector<Drawn> draw(const Json& json, const ClusterReport& report, const ClusterOptions& options,
                        const ClusterPlots& plots) {
  std::vector<Drawn> out;
  if (report.found.chosen) out.push_back({"criterion.svg", criterion_plot(json), "", ""});
  if (plots.points.rows() > 0) {
    std::vector<std::string> names;
    for (const ClusterRecord& c : report.clusters)
      names.push_back(c.name.empty() ? std::to_string(c.id) : c.name);
    const std::string how = title_of(options.layout);
    out.push_back(
        {"map.svg", scatter_svg({"The rows by " + how, "", ""}, plots.points.view(), plots.labels, names),
         "Where do the clusters lie?",
         "Each point is a row; rows that are alike lie close together, and each colour is a cluster. The "
         "grey lines go around where many rows are. How far groups lie apart, and up, down, left and right, "
         "say little."});
  }
  if (report.clusters.empty()) return out;
  std::vector<ClusterRecord> by_size = report.clusters;
  std::ranges::stable_sort(by_size, std::greater{}, &ClusterRecord::size);
  std::vector<Bar> bars;
  for (const ClusterRecord& c : by_size) bars.push_back({name_of_cluster(c), static_cast<double>(c.size)});
  out.push_back({"sizes.svg", bars_svg({"Sizes of the clusters", "clusters, largest first", "rows"}, bars),
                 "How large are the clusters?", ""});
  out.push_back(
      {"distances.svg",
       histogram_svg({"How near rows are to their nearest centroid", "distance", "rows"}, plots.distances),
       "How well do rows fit?",
       "The distance of each row to the middle of its nearest cluster. Rows far on the right fit no cluster "
       "well."});
  return out;
}

}  // namespace

void write_report(const ClusterReport& report, const ClusterOptions& options, const ClusterPlots& plots,
                  const fs::path& folder) {
  const Json json = report_json(report, options);
  const std::vector<Drawn> plotted = draw(json, report, options, plots);
  std::string why, pictures;
  for (const Drawn& plot : plotted) {
    write_file(folder / plot.file, plot.svg);
    const std::string figure = "<figure>" + plot.svg + "</figure>\n";
    if (plot.heading.empty())
      why += figure;
    else
      pictures += "<h2>" + plot.heading + "</h2>\n" +
                  (plot.words.empty() ? "" : "<p>" + plot.words + "</p>\n") + figure;
  }
  const std::string title =
      counted(json["n_clusters"], "cluster", "clusters") + " of " + counted(json["rows"], "row", "rows");
  const std::string body = summary(json) + doubts(json) + clusters_table(json, report.examples) + pictures +
                           choice_text(json) + why + measures_table(json) + made_table(json);
  write_file(folder / "report.html",
             "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" "
             "content=\"width=device-width,initial-scale=1\"><title>" +
                 escaped(title) + "</title>\n<style>" + kStyle + "</style>\n<main><h1>" + escaped(title) +
                 "</h1>\n" + body + "</main></html>\n");
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
