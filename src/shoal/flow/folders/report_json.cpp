#include <algorithm>
#include <cctype>
#include <cmath>

#include "shoal/core/rounded.h"
#include "shoal/core/with_commas.h"
#include "shoal/flow/folders/report_json_impl.h"
#include "shoal/store/archive/archive.h"
#include "shoal/store/archive/json_value_impl.h"

namespace shoal {
namespace {

using Json = nlohmann::ordered_json;

constexpr Index kMostReport = Index{256} << 20;  // bytes of a report.json

Json to_json(const Separation& s) {
  return {{"n_clusters", s.n_clusters},
          {"silhouette", number_json(s.silhouette)},
          {"davies_bouldin", number_json(s.davies_bouldin)},
          {"davies_bouldin_cosine", number_json(s.davies_bouldin_cosine)},
          {"calinski_harabasz", number_json(s.calinski_harabasz)},
          {"inertia", number_json(s.inertia)},
          {"smallest", s.smallest},
          {"largest", s.largest},
          {"balance", number_json(s.balance)}};
}

Json to_json(const Stability& s) {
  Json jaccard = Json::array();
  for (const double v : s.jaccard) jaccard.push_back(number_json(v));
  return {{"resamples", s.adjusted_rand.size()},
          {"adjusted_rand_mean", number_json(s.mean)},
          {"adjusted_rand_spread", number_json(s.spread)},
          {"jaccard", jaccard}};
}

/// The same with what the numbers mean: a verdict on each cluster, and how many got each.
Json with_verdicts(const Stability& s) {
  Json out = to_json(s), verdicts = Json::array(), levels = Json::array();
  for (const double v : s.jaccard) {
    const StabilityLevel* level = stability_level(v);
    verdicts.push_back(level == nullptr ? Json() : Json(level->name));
  }
  for (const StabilityLevel& level : stability_levels())
    levels.push_back({{"name", level.name},
                      {"from", level.from},
                      {"clusters", std::count(verdicts.begin(), verdicts.end(), Json(level.name))}});
  out["verdicts"] = verdicts;
  out["levels"] = levels;
  return out;
}

Json to_json(const std::vector<Objection>& against) {
  Json out = Json::array();
  for (const Objection& o : against)
    out.push_back({{"code", o.code}, {"text", o.text}, {"values", to_json(o.values)}});
  return out;
}

Json to_json(const ChosenK& c) {
  return {{"criterion", name_of(c.criterion)},
          {"n_clusters", c.n_clusters},
          {"value", number_json(c.value)},
          {"tried_min", c.tried_min},
          {"tried_max", c.tried_max}};
}

Json to_json(const std::vector<TriedK>& tried) {
  Json out = Json::array();
  for (const TriedK& t : tried) {
    Json one = to_json(t.measures);
    one["found"] = t.measures.n_clusters;  // a method may leave a cluster empty
    one["n_clusters"] = t.n_clusters;
    if (t.stability) one["stability"] = to_json(*t.stability);
    out.push_back(one);
  }
  return out;
}

/// Each criterion over the numbers that were tried; the one that decided comes first.
Json curves(const ChosenK& chosen, const std::vector<TriedK>& tried) {
  Json out = Json::array();
  for (const Pick& pick : chosen.picks) {
    const CriterionText& text = text_of(pick.criterion);
    Json values = Json::array();
    for (const double v : criterion_values(pick.criterion, tried)) values.push_back(number_json(v));
    Json curve{{"criterion", name_of(pick.criterion)},
               {"title", text.title},
               {"better", text.low_is_good ? "lower" : "higher"},
               {"asks", text.asks},
               {"n_clusters", pick.n_clusters},
               {"value", number_json(pick.value)},
               {"values", values}};
    out.insert(pick.criterion == chosen.criterion ? out.begin() : out.end(), std::move(curve));
  }
  return out;
}

/// Three significant digits, thousands with commas.
std::string shown(double value) {
  if (!(std::abs(value) >= 1000)) return rounded(value);
  return with_commas(std::llround(value));
}

/// "91 of 100"
std::string of_hundred(double share) { return std::to_string(std::lround(100 * share)) + " of 100"; }

/// What was measured, each as a question, with how to read the answer; only what is finite.
class Figures {
 public:
  /// From which value on it is good, and from which one fair; without them nothing is said.
  struct Scale {
    double good, fair;
  };

  void add(const char* name, const std::string& title, std::optional<double> value, const std::string& note,
           std::optional<Scale> scale = {}, const std::string& text = {}) {
    if (!value || !std::isfinite(*value)) return;
    Json figure{
        {"name", name}, {"title", title}, {"shown", text.empty() ? shown(*value) : text}, {"note", note}};
    if (scale) figure["verdict"] = *value >= scale->good ? "good" : *value >= scale->fair ? "fair" : "poor";
    out_.push_back(std::move(figure));
  }
  Json take() { return std::move(out_); }

 private:
  Json out_ = Json::array();
};

/// How a criterion of the number of clusters is to be read where it has no scale of its own.
std::string only_beside(const char* better) {
  return std::string(better) +
         " is better, and there is no fixed scale: compare it only between numbers of clusters of the same "
         "rows.";
}

void add_measures(Figures& out, const Separation& m, Metric metric) {
  using enum Criterion;
  out.add(
      name_of(silhouette), "Do the clusters stand apart? (silhouette)", m.silhouette,
      std::string("From -1 to 1. It compares how near a row is to its own cluster and to the next one, by ") +
          name_of(metric) +
          " distance. Good from 0.5, fair from 0.25; below that clusters run into each other, which is usual "
          "for texts.",
      Figures::Scale{0.5, 0.25});
  out.add(name_of(davies_bouldin),
          "How wide are clusters for the distance between them? (Davies-Bouldin index)", m.davies_bouldin,
          "0 or more. " + only_beside("Lower"));
  out.add(name_of(davies_bouldin_cosine), "The same by angles (Davies-Bouldin index by cosine)",
          m.davies_bouldin_cosine, "0 or more. " + only_beside("Lower"));
  out.add(name_of(calinski_harabasz),
          "How far apart are clusters for how wide they are? (Calinski-Harabasz index)", m.calinski_harabasz,
          "0 or more. " + only_beside("Higher"));
  out.add("inertia", "How far are rows from the middle of their cluster? (inertia)", m.inertia,
          "The sum of squared distances. It falls with every further cluster, so a single value says little: "
          "look for "
          "a bend in its curve.");
  out.add("balance", "Are the clusters of similar size? (balance)", m.balance,
          "From 0 to 1: 1 if all have the same size, near 0 if one holds nearly all rows. Good from 0.8, "
          "fair from 0.5.",
          Figures::Scale{0.8, 0.5});
  out.add("sizes", "How many rows have the smallest and the largest cluster?", 1,
          "Very small clusters may be doubles, very large ones what is left over.", {},
          shown(static_cast<double>(m.smallest)) + " to " + shown(static_cast<double>(m.largest)));
}

Json to_json(const std::vector<Parts>& all, const char* side, const char* other) {
  Json out = Json::array();
  for (const Parts& one : all) out.push_back({{side, one.cluster}, {other, one.of}});
  return out;
}

Json to_json(const Identities& found) {
  constexpr Index kAll = ~Index{0};
  Json goes_on = Json::array(), died = Json::array();
  for (const GoesOn& one : found.goes_on)
    goes_on.push_back({{"cluster", one.cluster},
                       {"before", one.before},
                       {"name_before", one.name_before},
                       {"kept", one.kept}});
  for (const ClusterRecord& one : found.died)
    died.push_back({{"before", one.id}, {"name_before", one.name}, {"rows", one.size}});
  return {{"shared_rows", found.shared_rows},
          {"clusters_before", found.names_before.size()},
          {"goes_on", goes_on},
          {"born", found.born},
          {"died", died},
          {"splits", to_json(found.splits, "before", "into")},
          {"merges", to_json(found.merges, "cluster", "of")},
          {"in_words", identities_in_words(found, kAll)}};
}

Json figures(const ClusterReport& report) {
  Figures out;
  if (report.identities) {
    std::string note = "Numbers were kept from the map before, by the rows that both have.";
    for (const std::string& line : identities_in_words(*report.identities, 5))
      note += " " + std::string(1, static_cast<char>(std::toupper(static_cast<unsigned char>(line[0])))) +
              line.substr(1) + ".";
    out.add("identities", "Which clusters go on? (identities)", 1, note, {},
            std::to_string(report.identities->goes_on.size()) + " of " +
                std::to_string(report.identities->names_before.size()));
  }
  const ClusterFindings& found = report.found;
  if (const auto& m = found.measures) add_measures(out, *m, found.method.metric());
  if (const auto& s = found.stability)
    out.add("stability", "Would other rows of the same kind give the same clusters? (stability)", s->mean,
            "Random parts of the rows were clustered anew, " + std::to_string(s->adjusted_rand.size()) +
                " times, and compared (adjusted Rand index): 1 if the same clusters came back each time, 0 "
                "if only as "
                "by chance. Good from 0.8, fair from 0.6. Between the times it varied by " +
                shown(s->spread) + ".",
            Figures::Scale{0.8, 0.6});
  out.add("placement_agreement", "Does the method put its own rows where they are?", found.placement,
          "The rule by which the method places new rows was asked about the clustered rows themselves: the "
          "share that "
          "it puts into the cluster that they have. Good from 0.95, fair from 0.8.",
          Figures::Scale{0.95, 0.8});
  if (report.held_out) {
    const std::string folds = std::to_string(report.held_out->folds.size());
    out.add("held_out_agreement", "Can new rows be placed? (classifier)", report.held_out->agreement,
            "A classifier was trained without a part of the rows and then asked about it, in turn for " +
                folds + " parts: " + of_hundred(report.held_out->agreement) +
                " rows came into the cluster that they have. Good from 0.9, fair from 0.75.",
            Figures::Scale{0.9, 0.75});
    out.add("held_out_unlike", "How many of these rows seemed to fit nowhere?", report.held_out->unlike,
            "The classifier called " + of_hundred(report.held_out->unlike) +
                " of them unlike any cluster. Expect a few: a row is called so where it lies further out "
                "than nearly "
                "all rows that the classifier was trained with.");
  }
  return out.take();
}

Json classifier_json(const ClusterReport& report, const ClusterOptions& options) {
  if (!options.classifier || !report.without_classifier.empty()) return nullptr;
  Json out{{"rule", name_of(*options.classifier)},
           {"training_agreement", number_json(report.training_agreement)},
           {"unlike_quantile", options.unlike_quantile}};
  if (report.held_out)
    out["held_out"] = {{"agreement", number_json(report.held_out->agreement)},
                       {"unlike", number_json(report.held_out->unlike)},
                       {"folds", report.held_out->folds}};
  return out;
}

Json to_json(const std::vector<ClusterRecord>& clusters) {
  Json out = Json::array();
  for (const ClusterRecord& c : clusters) {
    Json one{{"id", c.id}, {"size", c.size}};
    if (!c.medoids.empty()) one["medoids"] = c.medoids;
    if (!c.name.empty()) one["name"] = c.name, one["words"] = c.words;
    out.push_back(one);
  }
  return out;
}

}  // namespace

Json report_head(const char* format, int version) {
  return {{"format", format}, {"version", version}, {"made_by", "shoal " SHOAL_VERSION}};
}

std::string report_text(const Json& report) {
  return report.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json number_json(const std::optional<double>& v) { return v && std::isfinite(*v) ? Json(*v) : Json(nullptr); }

Json to_json(const std::vector<Field>& fields) {
  Json out = Json::object();
  for (const Field& f : fields) out[f.name] = json_value<Json>(f.value);
  return out;
}

Json report_json(const ClusterReport& report, const ClusterOptions& options) {
  const ClusterFindings& found = report.found;
  Json out = report_head(kClustersFormat, kClustersVersion);
  if (!options.input.empty()) out["input"] = options.input.string();
  out.update({{"rows", report.rows},
              {"dims", report.dims},
              {"pca", nullptr},
              {"standardise", options.standardise},
              {"seed", options.seed.value}});
  if (options.pca)
    out["pca"] = {{"n_components", report.components}, {"explained_variance_ratio", report.variance}};
  out.update({{"method", found.method.kind()},
              {"method_title", found.method.title()},
              {"options", to_json(found.method.list())},
              {"n_clusters", found.n_clusters},
              {"noise", found.noise},
              {"why", found.why},
              {"against", to_json(found.against)},
              {"measures", found.measures ? to_json(*found.measures) : Json()},
              {"figures", figures(report)}});
  if (found.chosen)
    out.update({{"chosen", to_json(*found.chosen)},
                {"tried", to_json(found.tried)},
                {"curves", curves(*found.chosen, found.tried)}});
  if (found.stability) out["stability"] = with_verdicts(*found.stability);
  if (report.identities) out["identities"] = to_json(*report.identities);
  out.update({{"placement_agreement", number_json(found.placement)},
              {"classifier", classifier_json(report, options)},
              {"clusters", to_json(report.clusters)}});
  return out;
}

std::string read_report(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) return "";
  std::string text = read_file(path, kMostReport);
  const Json report = Json::parse(text, nullptr, false);
  return report.is_object() && report.value("format", Json()) == kClustersFormat &&
                 report.value("version", Json()) == kClustersVersion
             ? text
             : "";
}

}  // namespace shoal
