#include <algorithm>
#include <cmath>
#include <cstdio>

#include "shoal/core/with_commas.h"
#include "shoal/flow/report_json_impl.h"
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
  if (!(std::abs(value) >= 1000)) {
    char text[32];
    std::snprintf(text, sizeof text, "%.3g", value);
    return text;
  }
  return with_commas(std::llround(value));
}

/// What was measured, each with how to read it; only what is finite.
class Figures {
 public:
  void add(const char* name, const char* title, std::optional<double> value, const std::string& note,
           const std::string& text = {}) {
    if (!value || !std::isfinite(*value)) return;
    out_.push_back(
        {{"name", name}, {"title", title}, {"shown", text.empty() ? shown(*value) : text}, {"note", note}});
  }
  void add(Criterion c, std::optional<double> value, const std::string& scale, const std::string& rest) {
    add(name_of(c), text_of(c).title, value, scale + ": " + text_of(c).asks + rest);
  }
  Json take() { return std::move(out_); }

 private:
  Json out_ = Json::array();
};

Json figures(const ClusterReport& report) {
  Figures out;
  const ClusterFindings& found = report.found;
  if (const auto& m = found.measures) {
    using enum Criterion;
    out.add(silhouette, m->silhouette, "-1 to 1, high is good",
            std::string(", by ") + name_of(found.method.metric()) +
                " distance. Below 0.25 clusters hardly stand apart.");
    out.add(davies_bouldin, m->davies_bouldin, "0 or more, low is good",
            ". Compare it only on the same rows.");
    out.add(davies_bouldin_cosine, m->davies_bouldin_cosine, "0 or more, low is good",
            ". Compare it only with itself.");
    out.add(calinski_harabasz, m->calinski_harabasz, "High is good", ". Compare it only on the same rows.");
    out.add("inertia", "Inertia", m->inertia,
            "The sum of squared distances of rows to the mean of their cluster. It falls with every further "
            "cluster, so only a bend in its curve says something.");
    out.add("balance", "Balance of sizes", m->balance,
            "0 to 1: 1 if all clusters are of one size, near 0 if one holds nearly all.");
    out.add("sizes", "Smallest to largest", 1, "Rows in the smallest and in the largest cluster.",
            shown(static_cast<double>(m->smallest)) + " to " + shown(static_cast<double>(m->largest)));
  }
  if (const auto& s = found.stability)
    out.add("stability", text_of(Criterion::stability).title, s->mean,
            "Adjusted Rand index over " + std::to_string(s->adjusted_rand.size()) +
                " random parts of the rows: 1 if the same clusters come back each time, 0 if only by chance. "
                "Below 0.6 they are not stable. Spread: " +
                shown(s->spread) + ".");
  out.add(
      "placement_agreement", "New rows by the method", found.placement,
      "The share of the clustered rows to which the method's own rule for new rows gives the cluster that "
      "they have: high is good.");
  if (report.held_out) {
    out.add(
        "held_out_agreement", "New rows by the classifier", report.held_out->agreement,
        "The share of the clustered rows to which the classifier, trained without them, gives the cluster "
        "that they have: high is good.");
    out.add("held_out_unlike", "Unlike any cluster", report.held_out->unlike,
            "The share of the same rows that the classifier calls unlike any cluster.");
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
