#include "shoal/classify/cluster_classifier.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "shoal/classify/split.h"
#include "shoal/core/error.h"
#include "shoal/linear/norms.h"
#include "shoal/near/select_rows.h"
#include "shoal/store/archive/archive.h"

namespace shoal {
namespace {

constexpr float kNever = std::numeric_limits<float>::infinity();

LogisticOptions logistic_options(const ClusterClassifierOptions& o) {
  return {.c = o.c, .tol = o.tol, .max_iter = o.max_iter, .balanced = o.balanced};
}

/// Of each cluster the smallest distance of a row of it that at least `share` of its rows do not exceed.
std::vector<float> quantiles(const Matrix& distances, const Labels& labels, double share) {
  if (share == 0) return std::vector<float>(labels.count, kNever);
  std::vector<std::vector<float>> own(labels.count);
  for (Index i = 0; i < labels.of.size(); ++i)
    if (labels.of[i] != kNoise) {
      const auto c = static_cast<Index>(labels.of[i]);
      own[c].push_back(distances[i][c]);
    }
  std::vector<float> out;
  for (std::vector<float>& d : own) {
    std::ranges::sort(d);
    const auto place = static_cast<Index>(std::ceil(share * static_cast<double>(d.size())));
    out.push_back(d[std::max<Index>(place, 1) - 1]);
  }
  return out;
}

Index labelled(const Labels& labels) {
  return labels.of.size() - static_cast<Index>(std::ranges::count(labels.of, kNoise));
}

void add_part(ArchiveWriter& out, std::string_view name, const auto& stage) {
  ArchiveWriter part(stage.kind);
  stage.save(part);
  out.add_part(name, part);
}

}  // namespace

ClusterClassifier ClusterClassifier::fit(const Rows& x, const Labels& labels, const Options& options,
                                         const Run& run) {
  check_options(options);
  check_labels(labels, x.rows());
  const CompactLabels own = compact_labels(labels);
  ClusterClassifier k(CentroidFeatures::fit(x, own.labels, {options.metric}, run));
  k.options_ = options;
  k.n_clusters_ = labels.count;
  k.clusters_ = own.original;
  const Matrix distances = k.features_.transform(x, run);
  k.limits_ = quantiles(distances, own.labels, options.unlike_quantile);
  if (options.rule == ClassifierRule::logistic) {
    std::vector<Index> chosen;
    for (Index i = 0; i < x.rows(); ++i)
      if (labels.of[i] != kNoise) chosen.push_back(i);
    k.scale_.update(select_rows(distances, std::move(chosen)), run);
    k.logistic_ =
        Logistic::fit(k.scale_.transform(distances, run), own.labels, logistic_options(options), run);
  }
  const Classified said = k.judge(distances, run);
  double right = 0, unlike = 0;
  for (Index i = 0; i < x.rows(); ++i) {
    if (labels.of[i] == kNoise) continue;
    right += said.likeliest[i] == labels.of[i];
    unlike += said.unlike[i];
  }
  k.training_agreement_ = right / static_cast<double>(labelled(labels));
  k.training_unlike_ = unlike / static_cast<double>(labelled(labels));
  return k;
}

Classified ClusterClassifier::classify(const Rows& x, const Run& run) const {
  return judge(features_.transform(x, run), run);
}

Classified ClusterClassifier::judge(const Matrix& distances, const Run& run) const {
  const Index rows = distances.rows();
  Classified out{{std::vector<Label>(rows, kNoise), n_clusters_},
                 std::vector<std::uint8_t>(rows),
                 std::vector<Label>(rows),
                 Matrix(rows, n_clusters_),
                 std::vector<float>(rows)};
  const auto nowhere = [&](std::span<const float> row) {
    return options_.metric == Metric::cosine && options_.unlike_quantile > 0 &&
           std::ranges::all_of(row, [](float d) { return d == 1; });
  };
  Matrix known;  // probabilities of clusters()
  if (logistic_) known = logistic_->predict_proba(scale_.transform(distances, run), run);
  for (Index i = 0; i < rows; ++i) {
    const auto least = std::ranges::min_element(distances[i]);
    const auto nearest = static_cast<Index>(least - distances[i].begin());
    Index answer = nearest;
    if (logistic_) {
      answer = static_cast<Index>(std::ranges::max_element(known[i]) - known[i].begin());
      for (Index c = 0; c < clusters_.size(); ++c)
        out.probabilities[i][static_cast<Index>(clusters_[c])] = known[i][c];
    } else {
      out.probabilities[i][static_cast<Index>(clusters_[nearest])] = 1;
    }
    out.distance[i] = *least;
    out.likeliest[i] = clusters_[answer];
    out.unlike[i] = *least > limits_[nearest] || nowhere(distances[i]);
    if (!out.unlike[i]) out.labels.of[i] = out.likeliest[i];
  }
  return out;
}

Labels ClusterClassifier::predict(const Rows& x, const Run& run) const { return classify(x, run).labels; }

Matrix ClusterClassifier::predict_proba(const Rows& x, const Run& run) const {
  return classify(x, run).probabilities;
}

void ClusterClassifier::save(ArchiveWriter& out) const {
  out.options(list_fields(options_));
  out.space(space());
  add_part(out, "features", features_);
  if (logistic_) {
    add_part(out, "scale", scale_);
    add_part(out, "logistic", *logistic_);
  }
  const auto n_clusters = static_cast<std::int64_t>(n_clusters_);
  out.add("n_clusters", std::span<const std::int64_t>(&n_clusters, 1));
  out.add("clusters", std::span<const std::int32_t>(clusters_));
  out.add("limits", std::span<const float>(limits_));
  out.add("training", std::span<const double>(std::vector<double>{training_agreement_, training_unlike_}));
}

ClusterClassifier ClusterClassifier::load(const ArchiveReader& in) {
  check_kind(in, kind);
  const auto bad = [&](const std::string& what) {
    return Error(Fault::format, in.path().string() + ": " + what);
  };
  ClusterClassifier k(CentroidFeatures::load(in.part("features")));
  k.options_ = read_options<Options>(in);
  k.options_.metric = k.features_.options().metric;
  const Index known = k.centroids().rows();
  if (k.options_.rule == ClassifierRule::logistic) {
    k.scale_ = Standardise::load(in.part("scale"));
    k.logistic_ = Logistic::load(in.part("logistic"));
    if (k.scale_.mean().size() != known || k.logistic_->n_classes() != known ||
        k.logistic_->coefficients().cols() != known)
      throw bad("its parts do not fit together");
  }
  const auto n_clusters = in.integers("n_clusters"), clusters = in.integers("clusters");
  if (n_clusters.size() != 1 || n_clusters[0] < 1 || clusters.size() != known)
    throw bad("n_clusters or clusters do not fit the centroids");
  k.n_clusters_ = static_cast<Index>(n_clusters[0]);
  for (const std::int64_t c : clusters) {
    if (c < 0 || c >= n_clusters[0]) throw bad("a cluster is not below n_clusters");
    k.clusters_.push_back(static_cast<Label>(c));
  }
  k.limits_ = in.floats("limits", known);
  const auto training = in.doubles("training", 2);
  k.training_agreement_ = training[0], k.training_unlike_ = training[1];
  return k;
}

CrossValidation cross_validate(const Rows& x, const Labels& labels, const ClusterClassifierOptions& options,
                               Index n_folds, Seed seed, const Run& run) {
  check_labels(labels, x.rows());
  check_finite(x, run);  // here, where rows still have their own numbers
  const std::vector<std::uint32_t> folds = stratified_folds(labels, n_folds, seed);
  CrossValidation out;
  double right = 0, unlike = 0, all = 0;
  for (Index fold = 0; fold < n_folds; ++fold) {
    std::vector<Index> taught, asked;
    Labels known{{}, labels.count};
    for (Index i = 0; i < x.rows(); ++i) {
      if (labels.of[i] == kNoise) continue;
      (folds[i] == fold ? asked : taught).push_back(i);
      if (folds[i] != fold) known.of.push_back(labels.of[i]);
    }
    // A cluster whose only row is held out may leave one: then there is nothing to weigh against each other.
    ClusterClassifierOptions how = options;
    if (compact_labels(known).original.size() < 2) how.rule = ClassifierRule::nearest;
    const auto k = ClusterClassifier::fit(select_rows(x, std::move(taught)), known, how, run);
    const Classified said = k.classify(select_rows(x, asked), run);
    double found = 0;
    for (Index i = 0; i < asked.size(); ++i) {
      found += said.likeliest[i] == labels.of[asked[i]];
      unlike += said.unlike[i];
    }
    right += found;
    all += static_cast<double>(asked.size());
    out.folds.push_back(asked.empty() ? 1 : found / static_cast<double>(asked.size()));
  }
  require(all > 0, Fault::data, "no row is labelled");
  out.agreement = right / all, out.unlike = unlike / all;
  return out;
}

}  // namespace shoal
