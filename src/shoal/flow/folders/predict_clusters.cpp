#include "shoal/flow/folders/predict_clusters.h"

#include <algorithm>
#include <utility>

#include "shoal/classify/cluster_classifier.h"
#include "shoal/cluster/selection/methods.h"
#include "shoal/core/error.h"
#include "shoal/flow/find_clusters.h"
#include "shoal/flow/folders/cluster_folder.h"
#include "shoal/flow/folders/plot_points.h"
#include "shoal/flow/folders/report_json_impl.h"
#include "shoal/flow/neutral/neutral.h"
#include "shoal/flow/receipt.h"
#include "shoal/flow/stage_file.h"
#include "shoal/flow/tables/csv_file.h"
#include "shoal/map/svg.h"
#include "shoal/read/columns.h"
#include "shoal/store/archive/archive.h"
#include "shoal/store/files/new_folder.h"
#include "shoal/store/vectors/rows_file.h"

namespace shoal {
namespace fs = std::filesystem;
namespace {

constexpr const char* kMark = "predictions.json";  // by which the folder is known
constexpr const char* kFiles[] = {kMark,           "predictions.csv",   "clusters.svg",
                                  "distances.svg", "probabilities.svg", "map.svg"};

std::string key_of(const PredictOptions& o, const Run& run) {
  std::vector<fs::path> inputs{o.input};
  for (const char* name : {kClusterMark, "clusters.safetensors", "classifier.safetensors", "pca.safetensors",
                           "standardise.safetensors", kNeutralFile, kProfileFile})
    if (fs::exists(o.model / name)) inputs.push_back(o.model / name);
  return result_key("classify predict", list_fields(o), inputs, run);
}

class PredictRun {
 public:
  PredictRun(const PredictOptions& options, const Run& run)
      : options_(options),
        run_(run),
        facts_(read_facts(options.model)),
        preparation_(Preparation::load(options.model, facts_.pca, facts_.standardise)),
        x_(raw_input()),
        out_(options.out, FolderMark{kMark}, options.overwrite, kFiles) {
    report_.by_method = options.by ? *options.by == PlacedBy::method : !facts_.classifier;
    report_.by_method ? load_method() : load_classifier();
    report_.converted_from = x_.converted_from();
    take_neutral();
    x_ = through_profile(profile_in(options.model), x_);
    x_ = in_space_of(fitted_on(), x_, report_.assumed_space);
  }

  PredictReport finish() {
    require(x_.cols() == facts_.dims, Fault::data,
            options_.input.string() + " has vectors of " + std::to_string(x_.cols()) + " numbers; " +
                options_.model.string() + " was made from vectors of " + std::to_string(facts_.dims));
    require(x_.rows() >= 1, Fault::data, options_.input.string() + " has no rows");
    out_.keep_off(options_.input);
    out_.keep_off(options_.model);
    check_rows(x_, options_.input, options_.vector_column, run_);
    const std::string key = key_of(options_, run_);  // of what the work begins with
    place();
    draw();
    write_summary();
    add_receipt(out_ / "", kMark, key);
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
    classifier_ = load_stage<ClusterClassifier>(options_.model / "classifier.safetensors");
    require(facts_.ids == classifier_->clusters(), Fault::format,
            options_.model.string() +
                " is damaged: its report and classifier.safetensors tell of other clusters");
    for (Index c = 0; c < facts_.ids.size(); ++c)
      report_.clusters.push_back({facts_.ids[c], facts_.names[c]});
    metric_ = classifier_->options().metric;
  }

  /// As the encoder made them: means of groups are the model's, not those of another collection.
  Rows raw_input() const {
    const bool collection = Collection::exists(options_.input) && options_.vector_column.empty();
    return collection ? raw_vectors(Collection::open(options_.input, true))
                      : open_vectors(options_.input, options_.vector_column);
  }
  void take_neutral() {
    const fs::path file = options_.model / kNeutralFile;
    if (!fs::exists(file)) {
      require(options_.group.empty(), Fault::argument,
              option_name("group") + " is for models of a map that was made with " + option_name("neutral"));
      return;
    }
    const auto stage = load_stage<GroupCentering>(file);
    std::vector<Label> groups;
    if (!options_.group.empty()) {
      const Label group = stage.find(options_.group);
      require(
          group != kNoise, Fault::argument,
          option_name("group") + " is " + options_.group + "; the groups are " + list_names(stage.groups()));
      groups.assign(x_.rows(), group);
    } else {
      require(Collection::exists(options_.input), Fault::argument,
              options_.model.string() + " is neutral to groups (" + list_names(stage.groups()) +
                  "), and vectors alone do not say theirs: give a collection, or " + option_name("group") +
                  " NAME if all rows are of one");
      groups = groups_of(stage, Collection::open(options_.input, true), run_);
    }
    x_ = stage.applied(in_space_of(stage.space(), x_, report_.assumed_space), std::move(groups));
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
    CsvFile file(out_ / "predictions.csv",
                 report_.by_method ? "row,cluster" : "row,cluster,likeliest,probability,distance,unlike");
    const Space between = preparation_.space_of(x_.space());
    std::optional<RowsFile> prepared;
    if (options_.layout != PlotMethod::none && !preparation_.empty())
      prepared.emplace(prepared_path(), between.dims, between, 0);
    each_block(x_, [&](const Rows& block, Index first) {
      const Rows ready = preparation_.empty() ? block : Rows(preparation_.transform(block, quiet()), between);
      report_.by_method ? by_method(ready, first, file) : by_classifier(ready, first, file);
      Matrix scratch;
      if (prepared) prepared->append(ready.block(0, ready.rows(), scratch));
      if (run_.progress)
        run_.progress("classify", static_cast<double>(first + block.rows()), static_cast<double>(x_.rows()));
    });
    file.keep();
    if (prepared) prepared->commit();
    const auto rows = static_cast<double>(std::max<Index>(1, report_.rows));
    for (const double p : probability_) report_.mean_probability += p / rows;
    for (const double d : distance_) report_.mean_distance += d / rows;
  }
  fs::path prepared_path() const { return out_ / "prepared.safetensors"; }

  void by_method(const Rows& block, Index first, CsvFile& file) {
    const Labels found = place_rows(*method_, block, quiet());
    for (Index i = 0; i < block.rows(); ++i) {
      count(found.of[i]);
      file.cell(first + i).cell(found.of[i]).end_row();
    }
  }

  void by_classifier(const Rows& block, Index first, CsvFile& file) {
    const Classified said = classifier_->classify(block, quiet());
    for (Index i = 0; i < block.rows(); ++i) {
      const Label likeliest = said.likeliest[i], label = said.labels.of[i];
      const double p = likeliest == kNoise ? 0 : said.probabilities[i][static_cast<Index>(likeliest)];
      probability_.push_back(p);
      distance_.push_back(said.distance[i]);
      count(label == kNoise ? kNoise : place_of(label));
      file.cell(first + i).cell(label).cell(likeliest).cell(short_number(p));
      file.cell(short_number(said.distance[i])).cell(said.unlike[i]).end_row();
    }
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
    const Matrix points = plot_points(rows, options_.layout, metric_, options_.seed.child(2), run_);
    write_file(out_ / "map.svg",
               scatter_svg({std::string("The new rows by ") + title_of(options_.layout), "", ""},
                           points.view(), labels_, names));
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
  if (!options.overwrite && fs::exists(options.out / kMark)) {
    open_vectors(options.input, options.vector_column);  // says what is wrong with it
    if (has_receipt(options.out, kMark, key_of(options, run))) {
      NewFolder::clean_up(options.out, FolderMark{kMark}, kFiles);
      return {.out = options.out, .done_before = true};
    }
  }
  return PredictRun(options, run).finish();
}

}  // namespace shoal
