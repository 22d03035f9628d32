#include "shoal/flow/folders/cluster_vectors.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "shoal/core/error.h"
#include "shoal/core/letters.h"
#include "shoal/flow/folders/cluster_folder.h"
#include "shoal/flow/folders/plot_points.h"
#include "shoal/flow/names/name_clusters.h"
#include "shoal/flow/neutral/neutral.h"
#include "shoal/flow/receipt.h"
#include "shoal/flow/stage_file.h"
#include "shoal/flow/tables/csv_file.h"
#include "shoal/linear/norms.h"
#include "shoal/store/archive/archive.h"
#include "shoal/store/files/new_folder.h"
#include "shoal/store/vectors/rows_file.h"
#include "shoal/store/vectors/vector_files.h"

namespace shoal {
namespace fs = std::filesystem;
namespace {

constexpr const char* kFiles[] = {kClusterMark,
                                  kOldClusterMark,
                                  "labels.csv",
                                  "report.html",
                                  "clusters.safetensors",
                                  "classifier.safetensors",
                                  "pca.safetensors",
                                  "standardise.safetensors",
                                  kNeutralFile,
                                  kProfileFile,
                                  "criterion.svg",
                                  "map.svg",
                                  "sizes.svg",
                                  "distances.svg"};
constexpr Index kFolds = 5;

/// At most 200 bytes of a text, no letter cut in two.
std::string beginning(const std::string& text) {
  if (text.size() <= 200) return text;
  return std::string(beginning_of(text, 200)) + "…";
}

std::string key_of(const ClusterOptions& o, Index rows, const Run& run) {
  std::vector<Field> list = list_clustering(o.clusters, rows, o.seed);
  if (o.pca)
    for (Field& field : list_fields(*o.pca)) list.push_back({"pca." + field.name, std::move(field.value)});
  for (Field& field : list_fields(o)) list.push_back(std::move(field));
  std::vector<fs::path> inputs{o.input};
  if (!o.profile.empty()) inputs.push_back(o.profile);
  return result_key("cluster", list, inputs, run);
}

/// One run of `cluster`.
class ClusterRun {
 public:
  ClusterRun(const ClusterOptions& options, const Rows& given, const Run& run)
      : options_(options),
        run_(run),
        given_(given),
        out_(options.out, kClusterFolder, options.overwrite, kFiles),
        rows_(given_) {}

  ClusterReport finish() {
    check();
    // Of what the work begins with: the input may be replaced by another meanwhile.
    const std::string key = key_of(options_, report_.rows, run_);
    prepare();
    fit();
    describe();
    classify();
    lay_out();
    write_labels();
    write_report(report_, options_, plots_, out_ / "");
    add_receipt(out_ / "", kClusterMark, key);
    out_.keep();
    return std::move(report_);
  }

 private:
  /// Whatever is wrong with the options is said now, not after the work.
  void check() {
    out_.keep_off(options_.input);
    require(
        given_.rows() >= 2, Fault::data,
        options_.input.string() + " has " + std::to_string(given_.rows()) + " row(s); at least 2 are needed");
    check_clustering(options_.clusters, given_.rows());
    check_options(options_);
    if (options_.pca) {
      check_options(*options_.pca);
      check_components(*options_.pca, "pca", given_.rows(), given_.cols(), "rows");
    }
    check_rows(given_, options_.input, options_.vector_column, run_);
    report_.rows = given_.rows();
    report_.dims = given_.cols();
    report_.converted_from = given_.converted_from();
    report_.out = out_.path();
  }

  void prepare() {
    // The prepared rows go to a file that leaves with the run: they may be larger than memory.
    const fs::path path = out_ / "prepared.safetensors";
    preparation_ = Preparation::fit(given_, options_.pca, options_.standardise, path, run_);
    preparation_.save(out_ / "");
    if (Collection::exists(options_.input)) {  // what its rows were made of goes on with the model
      const fs::path neutral = Collection::open(options_.input, true).file(kNeutralFile);
      if (fs::exists(neutral)) save_stage(load_stage<GroupCentering>(neutral), out_ / kNeutralFile);
    }
    keep_profile(options_.profile, out_ / "");
    if (!preparation_.empty()) {
      rows_ = open_rows(path);
      fs::remove(path);  // stays readable while it is mapped
    }
    report_.components = rows_.cols();
    if (preparation_.pca) report_.variance = preparation_.pca->explained_variance_ratio();
  }

  void fit() {
    Clustering made = find_clusters(rows_, options_.clusters, options_.seed, run_);
    save_clusterer(made.fitted, out_ / "clusters.safetensors");
    labels_ = labels_of(made.fitted);
    compact_ = std::move(made.clusters);
    report_.found = std::move(made.findings);
  }

  Metric metric() const { return options_.clusters.method.metric(); }
  Run quiet() const { return run_.quiet(); }

  /// Sizes and typical rows; of a collection also words and names.
  void describe() {
    if (report_.found.n_clusters == 0) return;
    const auto centroids = CentroidFeatures::fit(rows_, compact_.labels, {metric()}, run_);
    distance_.reserve(report_.rows);
    each_block(rows_, [&](const Rows& block, Index) {
      const Matrix d = centroids.transform(block, quiet());
      for (Index i = 0; i < d.rows(); ++i) distance_.push_back(std::ranges::min(d[i]));
    });
    std::optional<Collection> collection;
    if (Collection::exists(options_.input)) collection = Collection::open(options_.input, true);
    report_.clusters = describe_clusters(collection ? &*collection : nullptr, rows_, compact_.labels,
                                         centroids.centroids(), run_, metric())
                           .clusters;
    for (const ClusterRecord& c : report_.clusters)
      if (collection)
        report_.examples.push_back(c.medoids.empty() ? "" : beginning(collection->text(c.medoids.front())));
    for (Index c = 0; c < report_.found.n_clusters; ++c) report_.clusters[c].id = compact_.original[c];
  }

  void classify() {
    if (!options_.classifier) return;
    if (report_.found.n_clusters < 2) {
      report_.without_classifier = "there are fewer than two clusters";
      return;
    }
    const ClusterClassifierOptions how{
        .rule = *options_.classifier, .metric = metric(), .unlike_quantile = options_.unlike_quantile};
    if (run_.progress) run_.progress("classifier", 0, 1);
    classifier_ = ClusterClassifier::fit(rows_, labels_, how, quiet());
    const Index labelled = report_.rows - report_.found.noise;
    if (labelled >= 2 * kFolds)
      report_.held_out = cross_validate(rows_, labels_, how, kFolds, options_.seed.child(4), quiet());
    if (run_.progress) run_.progress("classifier", 1, 1);
    report_.training_agreement = classifier_->training_agreement();
    save_stage(*classifier_, out_ / "classifier.safetensors");
  }

  void lay_out() {
    plots_.distances.assign(distance_.begin(), distance_.end());
    plots_.labels = compact_.labels;
    plots_.points = plot_points(rows_, options_.layout, metric(), options_.seed.child(2), run_);
  }

  void write_labels() const {
    CsvFile file(out_ / "labels.csv", classifier_         ? "row,cluster,distance,probability,unlike"
                                      : distance_.empty() ? "row,cluster"
                                                          : "row,cluster,distance");
    each_block(rows_, [&](const Rows& block, Index first) {
      std::optional<Classified> said;
      if (classifier_) said = classifier_->classify(block, quiet());
      for (Index i = 0; i < block.rows(); ++i) {
        const Label label = labels_.of[first + i];
        file.cell(first + i).cell(label);
        if (!distance_.empty()) file.cell(short_number(distance_[first + i]));
        if (said)
          file.cell(label == kNoise ? "" : short_number(said->probabilities[i][static_cast<Index>(label)]))
              .cell(said->unlike[i]);
        file.end_row();
      }
    });
    file.keep();
  }

  const ClusterOptions& options_;
  const Run& run_;
  Rows given_;
  NewFolder out_;
  Rows rows_;  // as the method sees them
  Preparation preparation_;
  Labels labels_;  // as the method numbers them
  CompactLabels compact_;
  std::optional<ClusterClassifier> classifier_;
  std::vector<float> distance_;  // of each row to the nearest centroid
  ClusterPlots plots_;
  ClusterReport report_;
};

}  // namespace

std::string short_number(double value, int digits) {
  char buffer[32];
  const auto end =
      std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::general, digits).ptr;
  return {buffer, end};
}

Rows open_vectors(const fs::path& input, const std::string& column) {
  if (fs::is_regular_file(input) && !is_vector_file(input))
    throw Error(Fault::argument,
                input.string() +
                    " holds no vectors: give a .npy, .npz, .safetensors or .parquet file, a folder of such "
                    "files, or a collection; 'shoal embed' and 'shoal map' make them from texts");
  if (!Collection::exists(input)) return open_vectors_at(input, column);
  require(column.empty(), Fault::argument,
          option_name("vector_column") + " " + column + " names a column of a Parquet file; " +
              input.string() + " is a collection");
  return map_vectors(Collection::open(input, true));
}

void check_rows(const Rows& x, const fs::path& input, const std::string& column, const Run& run) {
  if (fs::is_directory(input) && !Collection::exists(input)) {
    for (const VectorFile& batch : open_vector_files(input, column))
      check_rows(batch.rows, batch.path, column, run);
    return;
  }
  try {
    check_finite(x, run);
  } catch (const Error& e) {
    throw Error(e.fault, input.string() + ": " + e.what());
  }
}

ClusterReport cluster_vectors(const ClusterOptions& options, const Run& run) {
  const Rows given = through_profile(options.profile, open_vectors(options.input, options.vector_column));
  if (!options.overwrite && fs::exists(options.out / kClusterMark) &&
      has_receipt(options.out, kClusterMark, key_of(options, given.rows(), run))) {
    NewFolder::clean_up(options.out, kClusterFolder, kFiles);
    return {.out = options.out, .done_before = true};
  }
  return ClusterRun(options, given, run).finish();
}

}  // namespace shoal
