#include "shoal/flow/cluster.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "shoal/classify/split.h"
#include "shoal/core/error.h"
#include "shoal/explain/medoids.h"
#include "shoal/flow/cluster_report.h"
#include "shoal/flow/name_clusters.h"
#include "shoal/linear/norms.h"
#include "shoal/reduce/tsne.h"
#include "shoal/reduce/umap.h"
#include "shoal/store/archive.h"
#include "shoal/store/batches.h"
#include "shoal/store/new_file.h"
#include "shoal/store/new_folder.h"
#include "shoal/store/rows_file.h"

namespace shoal {
namespace fs = std::filesystem;
namespace {

constexpr const char* kFiles[] = {kClusterMark,
                                  "labels.csv",
                                  "report.html",
                                  "clusters.safetensors",
                                  "classifier.safetensors",
                                  "pca.safetensors",
                                  "standardise.safetensors",
                                  "criterion.svg",
                                  "map.svg",
                                  "sizes.svg",
                                  "distances.svg"};
constexpr Index kTries = 16;          // numbers of clusters that are tried where each is a fit of its own
constexpr Index kCheapPairs = 20000;  // rows up to which a Euclidean silhouette, O(n^2), is taken unasked
constexpr Index kFolds = 5;
constexpr Index kMedoids = 5;

/// 2, 3, 4, 5, 7, ...: about `most` numbers from min to max, each the last one times a constant.
std::vector<Index> spaced(ClusterRange range, Index most) {
  std::vector<Index> out;
  const double ratio = std::pow(static_cast<double>(range.max) / static_cast<double>(range.min),
                                1.0 / static_cast<double>(most - 1));
  for (Index i = 0; i < most; ++i) {
    const double exact = static_cast<double>(range.min) * std::pow(ratio, static_cast<double>(i));
    const auto k = std::clamp(static_cast<Index>(std::lround(exact)), range.min, range.max);
    if (out.empty() || k > out.back()) out.push_back(k);
  }
  return out;
}

std::vector<Index> all_of(ClusterRange range) {
  std::vector<Index> out;
  for (Index k = range.min; k <= range.max; ++k) out.push_back(k);
  return out;
}

/// At most 200 bytes of a text, no character cut in two.
std::string beginning(const std::string& text) {
  if (text.size() <= 200) return text;
  Index end = 200;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "…";
}

/// One run of `cluster`.
class ClusterRun {
 public:
  ClusterRun(const ClusterOptions& options, const Run& run)
      : options_(options),
        run_(run),
        given_(open_vectors(options.input)),
        method_(options.method),
        out_(options.out, kClusterMark, options.overwrite, kFiles),
        rows_(given_) {}

  ClusterReport finish() {
    check();
    prepare();
    fit();
    judge();
    describe();
    classify();
    lay_out();
    write_labels();
    write_report(report_, options_, plots_, out_ / "");
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
    require(!options_.choose_n_clusters || method_.takes_n_clusters(), Fault::argument,
            std::string(method_.kind()) +
                " finds the number of clusters itself: --clusters and --criterion "
                "do not fit it");
    if (options_.range)
      require(options_.range->min >= 2 && options_.range->min <= options_.range->max &&
                  options_.range->max < given_.rows(),
              Fault::argument,
              "--clusters " + std::to_string(options_.range->min) + ".." +
                  std::to_string(options_.range->max) + ": allowed are numbers from 2 to " +
                  std::to_string(given_.rows() - 1) + ", the rows less one, the smaller first");
    require(options_.resamples != 1, Fault::argument, "--resamples is 1; at least 2 can be compared, or 0");
    require(!options_.choose_n_clusters || options_.criterion != Criterion::elbow ||
                range().max >= range().min + 2,
            Fault::argument, "--criterion elbow needs at least 3 numbers of clusters to choose from");
    if (options_.pca) Pca{*options_.pca};
    check_rows(given_, options_.input, run_);
    method_.set_seed(options_.seed.child(1));
    report_.rows = given_.rows();
    report_.dims = given_.cols();
    report_.method = method_.kind();
    report_.out = out_.path();
  }

  void prepare() {
    // The prepared rows go to a file that leaves with the run: they may be larger than memory.
    std::optional<RowsFile> file;
    const fs::path path = out_ / "prepared.safetensors";
    preparation_ = Preparation::fit(
        given_, options_.pca, options_.standardise,
        [&](MatrixView block) {
          if (!file) file.emplace(path, block.cols, Space{.id = prepared_id(), .dims = block.cols}, 0);
          file->append(block);
        },
        run_);
    report_.components = given_.cols();
    if (file) {
      file->commit();
      file.reset();
      rows_ = open_rows(path);
      fs::remove(path);  // stays readable while it is mapped
      report_.components = rows_.cols();
      if (preparation_.pca) report_.variance = preparation_.pca->explained_variance_ratio();
    }
    preparation_.save(out_ / "");
  }
  std::string prepared_id() const {
    if (given_.space().id.empty()) return "";  // unknown stays unknown
    return given_.space().id + (options_.pca ? "+pca" : "") + (options_.standardise ? "+standardise" : "");
  }

  JudgeOptions judging() const {
    const bool cheap = method_.metric() == Metric::cosine || rows_.rows() <= kCheapPairs;
    return {
        .metric = method_.metric(),
        .silhouette = cheap || (options_.choose_n_clusters && options_.criterion == Criterion::silhouette)};
  }

  StabilityOptions resampling() const {
    return {.resamples = options_.resamples > 0 ? options_.resamples : 20, .seed = options_.seed.child(3)};
  }

  /// A resample may hold fewer distinct rows than there are clusters: then as many as it has.
  Labels labels_by(const Rows& x, Index k, Seed seed) const {
    MethodOptions options = method_;
    options.set_seed(seed);
    if (!options.takes_n_clusters()) return labels_of(fit_clusterer(x, options, quiet()));
    for (;; --k) {
      options.set_n_clusters(k);
      try {
        return labels_of(fit_clusterer(x, options, quiet()));
      } catch (const Error& e) {
        if (e.fault != Fault::data || k == 1) throw;
      }
    }
  }
  Run quiet() const { return {.threads = run_.threads, .stop = run_.stop, .progress = {}}; }

  void fit() {
    if (!options_.choose_n_clusters) {
      fitted_.emplace(fit_clusterer(rows_, method_, run_));
    } else if (std::holds_alternative<AgglomerativeOptions>(method_.of)) {
      choose_cut();
    } else {
      choose_fit();
    }
    report_.method_options = method_.list();
    save_clusterer(*fitted_, out_ / "clusters.safetensors");
  }

  ClusterRange range() const { return options_.range.value_or(default_cluster_range(rows_.rows())); }

  /// Every number of clusters from one dendrogram.
  void choose_cut() {
    method_.set_n_clusters(1);
    const auto joined = Agglomerative::fit(rows_, std::get<AgglomerativeOptions>(method_.of), run_);
    TryOptions how{.judge = judging(), .stability = {}};
    if (options_.criterion == Criterion::stability) how.stability = resampling();
    const auto join = [&](const Rows& x) {
      return Agglomerative::fit(x, std::get<AgglomerativeOptions>(method_.of), quiet()).dendrogram();
    };
    report_.tried = try_cuts(rows_, joined.dendrogram(), range(), join, how, run_);
    report_.chosen = choose_k(options_.criterion, report_.tried);
    method_.set_n_clusters(report_.chosen->n_clusters);
    fitted_.emplace(joined.with_clusters(report_.chosen->n_clusters, rows_, run_));
  }

  /// A fit for each number of clusters that is tried.
  void choose_fit() {
    const std::vector<Index> numbers = options_.range ? all_of(range()) : spaced(range(), kTries);
    for (Index i = 0; i < numbers.size(); ++i) {
      const auto say = [&](double part) {
        if (run_.progress)
          run_.progress("try " + std::to_string(numbers[i]) + " clusters", static_cast<double>(i) + part,
                        static_cast<double>(numbers.size()));
      };
      say(0);
      method_.set_n_clusters(numbers[i]);
      const auto found = try_fit(i == 0);
      if (!found) break;
      TriedK tried{.n_clusters = numbers[i],
                   .measures = judge_labels(rows_, labels_of(*found), judging(), quiet()),
                   .stability = {}};
      if (options_.criterion == Criterion::stability)
        tried.stability = stability_of(labels_of(*found), quiet());
      report_.tried.push_back(std::move(tried));
      say(1);
    }
    report_.chosen = choose_k(options_.criterion, report_.tried);
    if (!range_ended_.empty())
      report_.chosen->against.push_back("No more numbers could be tried: " + range_ended_ + ".");
    method_.set_n_clusters(report_.chosen->n_clusters);
    fitted_.emplace(fit_clusterer(rows_, method_, run_));
  }

  /// Nothing if there are too few distinct rows for so many clusters, unless it is the first try.
  std::optional<AnyClusterer> try_fit(bool first) {
    try {
      return fit_clusterer(rows_, method_, quiet());
    } catch (const Error& e) {
      if (first || e.fault != Fault::data) throw;
      range_ended_ = e.what();
      return std::nullopt;
    }
  }

  Stability stability_of(const Labels& labels, const Run& run) const {
    return measure_stability(
        rows_, labels, [&](const Rows& x, Index k, Seed seed) { return labels_by(x, k, seed); }, resampling(),
        run);
  }

  const Labels& labels() const { return labels_of(*fitted_); }

  void judge() {
    compact_ = compact_labels(labels());
    report_.n_clusters = compact_.original.size();
    report_.noise = static_cast<Index>(std::ranges::count(labels().of, kNoise));
    report_.placement = placement_of(*fitted_);
    if (report_.n_clusters >= 2) report_.measures = judge_labels(rows_, labels(), judging(), run_);
    if (report_.chosen && options_.criterion == Criterion::stability) {
      for (const TriedK& tried : report_.tried)
        if (tried.n_clusters == report_.chosen->n_clusters) report_.stability = tried.stability;
    } else if (options_.resamples > 0) {
      report_.stability = stability_of(labels(), run_);
    }
  }

  /// Sizes and typical rows; of a collection also words and names.
  void describe() {
    if (report_.n_clusters == 0) return;
    const auto centroids = CentroidFeatures::fit(rows_, compact_.labels, {method_.metric()}, run_);
    distance_.reserve(report_.rows);
    each_block(rows_, [&](const Rows& block, Index) {
      const Matrix d = centroids.transform(block, quiet());
      for (Index i = 0; i < d.rows(); ++i) distance_.push_back(std::ranges::min(d[i]));
    });
    if (Collection::exists(options_.input)) {
      const Collection collection = Collection::open(options_.input, true);
      report_.clusters =
          describe_clusters(collection, rows_, compact_.labels, centroids.centroids(), run_, method_.metric())
              .clusters;
    } else {
      const auto typical =
          medoids(rows_, compact_.labels, centroids.centroids(), kMedoids, run_, method_.metric());
      report_.clusters.resize(report_.n_clusters);
      for (const Label label : compact_.labels.of)
        if (label != kNoise) ++report_.clusters[static_cast<Index>(label)].size;
      for (Index c = 0; c < report_.n_clusters; ++c) report_.clusters[c].medoids = typical[c];
    }
    if (Collection::exists(options_.input)) {
      const Collection collection = Collection::open(options_.input, true);
      for (const ClusterRow& c : report_.clusters)
        report_.examples.push_back(c.medoids.empty() ? "" : beginning(collection.text(c.medoids.front())));
    }
    for (Index c = 0; c < report_.n_clusters; ++c) report_.clusters[c].id = compact_.original[c];
  }

  void classify() {
    if (!options_.classifier) return;
    if (report_.n_clusters < 2) {
      report_.without_classifier = "there are fewer than two clusters";
      return;
    }
    const ClusterClassifierOptions how{.rule = *options_.classifier,
                                       .metric = method_.metric(),
                                       .unlike_quantile = options_.unlike_quantile};
    if (run_.progress) run_.progress("classifier", 0, 1);
    classifier_ = ClusterClassifier::fit(rows_, labels(), how, quiet());
    const Index labelled = report_.rows - report_.noise;
    if (labelled >= 2 * kFolds)
      report_.held_out = cross_validate(rows_, labels(), how, kFolds, options_.seed.child(4), quiet());
    if (run_.progress) run_.progress("classifier", 1, 1);
    report_.training_agreement = classifier_->training_agreement();
    Writer out(ClusterClassifier::kind);
    classifier_->save(out);
    out.write(out_ / "classifier.safetensors");
  }

  void lay_out() {
    plots_.distances.assign(distance_.begin(), distance_.end());
    plots_.labels = compact_.labels;
    if (options_.layout == PlotLayout::umap) {
      plots_.points =
          Umap::fit(rows_, {.metric = method_.metric(), .seed = options_.seed.child(2)}, run_).embedding();
    } else if (options_.layout == PlotLayout::tsne) {
      plots_.points =
          Tsne::fit(rows_, {.metric = method_.metric(), .seed = options_.seed.child(2)}, run_).embedding();
    }
  }

  void write_labels() const {
    NewFile file(out_ / "labels.csv");
    file.write(classifier_         ? "row,cluster,distance,probability,unlike\n"
               : distance_.empty() ? "row,cluster\n"
                                   : "row,cluster,distance\n");
    each_block(rows_, [&](const Rows& block, Index first) {
      std::optional<Classified> said;
      if (classifier_) said = classifier_->classify(block, quiet());
      std::string lines;
      for (Index i = 0; i < block.rows(); ++i) {
        const Label label = labels().of[first + i];
        lines += std::to_string(first + i) + "," + std::to_string(label);
        if (!distance_.empty()) lines += "," + short_number(distance_[first + i]);
        if (said)
          lines += "," +
                   (label == kNoise ? std::string()
                                    : short_number(said->probabilities[i][static_cast<Index>(label)])) +
                   "," + std::to_string(said->unlike[i]);
        lines += "\n";
      }
      file.write(lines);
    });
    file.keep();
  }

  const ClusterOptions& options_;
  const Run& run_;
  Rows given_;
  MethodOptions method_;
  NewFolder out_;
  Rows rows_;  // as the method sees them
  Preparation preparation_;
  std::optional<AnyClusterer> fitted_;
  std::string range_ended_;  // why numbers of clusters were left untried
  CompactLabels compact_;
  std::optional<ClusterClassifier> classifier_;
  std::vector<float> distance_;  // of each row to the nearest centroid
  ClusterPlots plots_;
  ClusterReport report_;
};

}  // namespace

const char* name_of(PlotLayout layout) {
  return layout == PlotLayout::tsne ? "tsne" : layout == PlotLayout::umap ? "umap" : "none";
}

std::string short_number(double value, int digits) {
  char buffer[32];
  const auto end =
      std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::general, digits).ptr;
  return {buffer, end};
}

Rows open_vectors(const fs::path& input) {
  if (fs::is_regular_file(input) && input.extension() != ".npy" && input.extension() != ".safetensors")
    throw Error(Fault::argument,
                input.string() +
                    " holds no vectors: give a .npy or .safetensors file, a folder of such "
                    "files, or a collection; 'shoal embed' and 'shoal map' make them from texts");
  if (!Collection::exists(input)) return open_rows_or_batches(input);
  const Collection collection = Collection::open(input, true);
  const fs::path file = collection.file("vectors.safetensors");
  require(fs::exists(file), Fault::data, input.string() + " has no vectors yet; run 'shoal map' on it");
  Rows x = open_rows(file);
  require(x.rows() == collection.rows(), Fault::data,
          input.string() + " has vectors for " + std::to_string(x.rows()) + " of its " +
              std::to_string(collection.rows()) + " texts; run 'shoal map' on it to the end");
  return x;
}

void check_rows(const Rows& x, const fs::path& input, const Run& run) {
  if (fs::is_directory(input) && !Collection::exists(input)) {
    for (const Batch& batch : open_batches(input)) check_rows(batch.rows, batch.path, run);
    return;
  }
  try {
    check_finite(x, run);
  } catch (const Error& e) {
    throw Error(e.fault, input.string() + ": " + e.what());
  }
}

ClusterReport cluster(const ClusterOptions& options, const Run& run) {
  return ClusterRun(options, run).finish();
}

}  // namespace shoal
