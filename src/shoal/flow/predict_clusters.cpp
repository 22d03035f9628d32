#include "shoal/flow/predict_clusters.h"

#include <algorithm>
#include <utility>

#include "shoal/classify/cluster_classifier.h"
#include "shoal/cluster/selection/methods.h"
#include "shoal/core/error.h"
#include "shoal/flow/cluster_folder.h"
#include "shoal/flow/find_clusters.h"
#include "shoal/flow/report_json_impl.h"
#include "shoal/map/svg.h"
#include "shoal/reduce/tsne/tsne.h"
#include "shoal/reduce/umap/umap.h"
#include "shoal/store/archive/archive.h"
#include "shoal/store/files/new_file.h"
#include "shoal/store/files/new_folder.h"
#include "shoal/store/vectors/rows_file.h"

namespace shoal {
namespace fs = std::filesystem;
namespace {

constexpr const char* kMark = "predictions.json";  // by which the folder is known
constexpr const char* kFiles[] = {kMark,           "predictions.csv",   "clusters.svg",
                                  "distances.svg", "probabilities.svg", "map.svg"};

class PredictRun {
 public:
  PredictRun(const PredictOptions& options, const Run& run)
      : options_(options),
        run_(run),
        facts_(read_facts(options.model)),
        preparation_(Preparation::load(options.model, facts_.pca, facts_.standardise)),
        x_(open_vectors(options.input)),
        out_(options.out, kMark, options.overwrite, kFiles) {
    report_.by_method = options.by ? *options.by == PlacedBy::method : !facts_.classifier;
    report_.by_method ? load_method() : load_classifier();
    x_ = in_space_of(fitted_on(), x_, report_.assumed_space);
  }

  PredictReport finish() {
    require(x_.cols() == facts_.dims, Fault::data,
            options_.input.string() + " has vectors of " + std::to_string(x_.cols()) + " numbers; " +
                options_.model.string() + " was made from vectors of " + std::to_string(facts_.dims));
    require(x_.rows() >= 1, Fault::data, options_.input.string() + " has no rows");
    out_.keep_off(options_.input);
    out_.keep_off(options_.model);
    check_rows(x_, options_.input, run_);
    place();
    draw();
    write_summary();
    out_.keep();
    return std::move(report_);
  }

 private:
  /// Of the vectors that the model was made from.
  const Space& fitted_on() const {
    if (preparation_.pca) return preparation_.pca->space();
    if (preparation_.scaler) return preparation_.scaler->space();
    if (classifier_) return classifier_->space();
    return std::visit([](const auto& method) -> const Space& { return method.space(); }, *method_);
  }
  void load_classifier() {
    require(facts_.classifier, Fault::argument,
            options_.model.string() + " has no classifier: it was made with " + option_name("classifier") +
                " none, or has fewer than two clusters; " + option_name("by") +
                " method places rows by the method's own rule");
    classifier_ = ClusterClassifier::load(ArchiveReader(options_.model / "classifier.safetensors"));
    require(facts_.ids == classifier_->clusters(), Fault::format,
            options_.model.string() +
                " is damaged: its report and classifier.safetensors tell of other clusters");
    for (Index c = 0; c < facts_.ids.size(); ++c)
      report_.clusters.push_back({facts_.ids[c], facts_.names[c]});
    metric_ = classifier_->options().metric;
  }

  /// New rows may fall into a cluster that had no rows of its own, a unit of a map.
  void load_method() {
    const fs::path file = options_.model / "clusters.safetensors";
    method_ = load_clusterer(file);
    report_.placement = placement_of(*method_);
    for (Index c = 0; c < labels_of(*method_).count; ++c)
      report_.clusters.push_back({static_cast<Label>(c), ""});
    for (Index c = 0; c < facts_.ids.size(); ++c) {
      require(static_cast<Index>(facts_.ids[c]) < report_.clusters.size(), Fault::format,
              options_.model.string() +
                  " is damaged: its report and clusters.safetensors tell of other clusters");
      report_.clusters[static_cast<Index>(facts_.ids[c])].name = facts_.names[c];
    }
    metric_ = saved_method(file).metric();
  }
  Run quiet() const { return run_.quiet(); }

  void place() {
    report_.rows = x_.rows();
    report_.out = out_.path();
    NewFile file(out_ / "predictions.csv");
    file.write(report_.by_method ? "row,cluster\n" : "row,cluster,likeliest,probability,distance,unlike\n");
    const Space between = preparation_.space_of(x_.space());
    std::optional<RowsFile> prepared;
    each_block(x_, [&](const Rows& block, Index first) {
      if (preparation_.empty()) {
        place_block(block, first, file);
        return;
      }
      const Matrix ready = preparation_.transform(block, quiet());
      place_block(Rows(ready, between), first, file);
      if (options_.layout == PlotMethod::none) return;
      if (!prepared) prepared.emplace(prepared_path(), ready.cols(), between, 0);
      prepared->append(ready.view());
    });
    file.keep();
    if (prepared) prepared->commit();
    const auto rows = static_cast<double>(std::max<Index>(1, report_.rows));
    for (const double p : probability_) report_.mean_probability += p / rows;
    for (const double d : distance_) report_.mean_distance += d / rows;
  }
  fs::path prepared_path() const { return out_ / "prepared.safetensors"; }

  void place_block(const Rows& block, Index first, NewFile& file) {
    file.write(report_.by_method ? by_method(block, first) : by_classifier(block, first));
    if (run_.progress)
      run_.progress("classify", static_cast<double>(first + block.rows()), static_cast<double>(x_.rows()));
  }

  std::string by_method(const Rows& block, Index first) {
    std::string lines;
    const Labels found = place_rows(*method_, block, quiet());
    for (Index i = 0; i < block.rows(); ++i) {
      count(found.of[i]);
      lines += std::to_string(first + i) + "," + std::to_string(found.of[i]) + "\n";
    }
    return lines;
  }

  std::string by_classifier(const Rows& block, Index first) {
    const Classified said = classifier_->classify(block, quiet());
    std::string lines;
    for (Index i = 0; i < block.rows(); ++i) {
      const Label likeliest = said.likeliest[i], label = said.labels.of[i];
      const double p = likeliest == kNoise ? 0 : said.probabilities[i][static_cast<Index>(likeliest)];
      probability_.push_back(p);
      distance_.push_back(said.distance[i]);
      count(label == kNoise ? kNoise : place_of(label));
      lines += std::to_string(first + i) + "," + std::to_string(label) + "," + std::to_string(likeliest) +
               "," + short_number(p) + "," + short_number(said.distance[i]) + "," +
               std::to_string(said.unlike[i]) + "\n";
    }
    return lines;
  }

  /// A row of the cluster at `place` in report_.clusters.
  void count(Label place) {
    labels_.of.push_back(place);
    ++(place == kNoise ? report_.unlike : report_.clusters[static_cast<Index>(place)].size);
  }

  Label place_of(Label id) const {
    return static_cast<Label>(std::ranges::lower_bound(facts_.ids, id) - facts_.ids.begin());
  }

  void draw() {
    labels_.count = report_.clusters.size();
    std::vector<Bar> bars;
    std::vector<std::string> names;
    for (const auto& c : report_.clusters) {
      names.push_back(c.name.empty() ? std::to_string(c.id) : c.name);
      bars.push_back({names.back(), static_cast<double>(c.size)});
    }
    bars.push_back({report_.by_method ? "none" : "unlike any", static_cast<double>(report_.unlike)});
    write_file(out_ / "clusters.svg", bars_svg({"Where the new rows went", "clusters", "rows"}, bars));
    if (!report_.by_method) {
      write_file(
          out_ / "distances.svg",
          histogram_svg({"How near rows are to their nearest centroid", "distance", "rows"}, distance_));
      write_file(out_ / "probabilities.svg",
                 histogram_svg({"How sure the classifier is", "probability of the likeliest cluster", "rows"},
                               probability_));
    }
    if (options_.layout == PlotMethod::none) return;
    const Rows rows = preparation_.empty() ? x_ : open_rows(prepared_path());
    const Matrix points =
        options_.layout == PlotMethod::umap
            ? Umap::fit(rows, {.metric = metric_, .seed = options_.seed.child(2)}, run_).embedding()
            : Tsne::fit(rows, {.metric = metric_, .seed = options_.seed.child(2)}, run_).embedding();
    const char* how = options_.layout == PlotMethod::umap ? "UMAP" : "t-SNE";
    write_file(out_ / "map.svg",
               scatter_svg({std::string("The new rows by ") + how, "", ""}, points.view(), labels_, names));
    fs::remove(prepared_path());
  }

  void write_summary() const {
    using Json = nlohmann::ordered_json;
    Json clusters = Json::array();
    for (const auto& c : report_.clusters)
      clusters.push_back({{"id", c.id}, {"name", c.name}, {"size", c.size}});
    Json out = report_head("shoal predictions", 1);
    out.update({{"model", options_.model.string()},
                {"input", options_.input.string()},
                {"rows", report_.rows},
                {"by", report_.by_method ? "method" : "classifier"},
                {"unlike", report_.unlike}});
    if (report_.by_method) {
      out["placement_agreement"] = number_json(report_.placement);
    } else {
      out["mean_probability"] = report_.mean_probability;
      out["mean_distance"] = report_.mean_distance;
    }
    out["clusters"] = clusters;
    write_file(out_ / kMark, report_text(out));
  }

  const PredictOptions& options_;
  const Run& run_;
  ClusterFacts facts_;
  Preparation preparation_;
  std::optional<ClusterClassifier> classifier_;
  std::optional<AnyClusterer> method_;  // one of the two
  Metric metric_ = Metric::cosine;
  Rows x_;
  NewFolder out_;
  std::vector<double> probability_, distance_;
  Labels labels_;  // numbered as report_.clusters
  PredictReport report_;
};

}  // namespace

PredictReport predict_clusters(const PredictOptions& options, const Run& run) {
  return PredictRun(options, run).finish();
}

}  // namespace shoal
