#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "shoal/classify/centroid_features.h"
#include "shoal/classify/logistic.h"
#include "shoal/core/fields.h"
#include "shoal/core/labels.h"
#include "shoal/core/matrix.h"
#include "shoal/core/random.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"
#include "shoal/core/stage.h"
#include "shoal/reduce/standardise.h"

namespace shoal {

/// By what rule a new row is placed into an old cluster.
enum class ClassifierRule : std::uint8_t {
  logistic,  ///< distances to all centroids, standardised, multinomial logistic regression
  nearest,   ///< the nearest centroid
};
constexpr auto names_of(ClassifierRule) { return std::array{"logistic", "nearest"}; }

/// What `ClusterClassifier::fit` may be told.
struct ClusterClassifierOptions {
  ClassifierRule rule = ClassifierRule::logistic;
  Metric metric = Metric::cosine;
  /// A row is unlike any cluster if it is further from its nearest centroid than this share of the training
  /// rows of that cluster; 0..1. 1: further than all of them. 0: no row is ever called so.
  double unlike_quantile = 0.995;
  double c = 1.0;         ///< inverse strength of the L2 penalty, above 0
  double tol = 1e-4;      ///< done when no derivative of the mean loss is larger, >= 0
  Index max_iter = 1000;  ///< most evaluations of the loss, >= 1
  bool balanced = false;  ///< clusters weigh the same, however many rows they have
};
template <class V>
void fields(ClusterClassifierOptions& o, V&& visit) {
  visit("rule", o.rule, "how a new row is placed");
  visit("metric", o.metric, "distance to the centroids");
  visit("unlike_quantile", o.unlike_quantile,
        "rows further out than this share of a cluster's training rows are unlike any cluster; 0: never",
        between(0, 1));
  visit("c", o.c, "inverse strength of the L2 penalty", above(0));
  visit("tol", o.tol, "done when no derivative of the mean loss is larger", at_least(0));
  visit("max_iter", o.max_iter, "most evaluations of the loss", at_least(1));
  visit("balanced", o.balanced, "clusters weigh the same, however many rows they have");
}

/// What is said of new rows.
struct Classified {
  Labels labels;                     ///< the rule's answer; kNoise where unlike
  std::vector<std::uint8_t> unlike;  ///< 1: unlike any cluster
  std::vector<Label> likeliest;      ///< the rule's answer for every row, unlike or not
  Matrix probabilities;              ///< rows x n_clusters, of `likeliest`; under `nearest` 1 and 0
  std::vector<float> distance;       ///< to the nearest centroid
};

/// Places new rows into the clusters of a labelling, whoever made it. Rows labelled kNoise are left out;
/// clusters without rows are never answered. Under cosine a row at right angles to every centroid, as a row
/// of zeros is, is unlike any cluster.
class ClusterClassifier {
 public:
  using Options = ClusterClassifierOptions;
  static constexpr std::string_view kind = "cluster_classifier";

  /// Error(argument) on an option out of range; Error(data) as Logistic::fit (one cluster is enough for
  /// `nearest`).
  static ClusterClassifier fit(const Rows& x, const Labels& labels, const Options& options = {},
                               const Run& run = {});

  /// Error(data) if a row holds a NaN or an infinity (named) or if the rows have another dimension or space.
  Classified classify(const Rows& x, const Run& run = {}) const;
  Labels predict(const Rows& x, const Run& run = {}) const;        ///< classify().labels
  Matrix predict_proba(const Rows& x, const Run& run = {}) const;  ///< classify().probabilities
  /// Distances to the centroids: rows x clusters().size().
  Matrix transform(const Rows& x, const Run& run = {}) const { return features_.transform(x, run); }

  Index n_clusters() const { return n_clusters_; }                   ///< labels.count of the fit
  const std::vector<Label>& clusters() const& { return clusters_; }  ///< those that have rows
  std::vector<Label> clusters() && { return std::move(clusters_); }
  Matrix centroids() && { return std::move(features_).centroids(); }
  const Matrix& centroids() const& { return features_.centroids(); }  ///< a row for each of clusters()
  /// Of each of clusters(): a row nearest to it and further than this is unlike any. Infinity: never.
  const std::vector<float>& limits() const& { return limits_; }
  std::vector<float> limits() && { return std::move(limits_); }
  /// Share of the labelled training rows whose `likeliest` is their label. What held-out rows give is for
  /// cross_validate to say.
  double training_agreement() const { return training_agreement_; }
  /// Share of the labelled training rows that are called unlike any cluster.
  double training_unlike() const { return training_unlike_; }
  /// Null under `nearest`.
  const Logistic* logistic() const& { return logistic_ ? &*logistic_ : nullptr; }
  const Logistic* logistic() && = delete;
  const Space& space() const& { return features_.space(); }
  Space space() && { return std::move(features_).space(); }
  const Options& options() const& { return options_; }
  Options options() && { return std::move(options_); }

  void save(ArchiveWriter& out) const;
  static ClusterClassifier load(
      const ArchiveReader& in);  ///< Error(format) if the file does not hold one, whole

 private:
  ClusterClassifier(CentroidFeatures features) : features_(std::move(features)) {}
  Classified judge(const Matrix& distances, const Run& run) const;

  Options options_;
  CentroidFeatures features_;
  Standardise scale_;
  std::optional<Logistic> logistic_;
  Index n_clusters_ = 0;
  std::vector<Label> clusters_;
  std::vector<float> limits_;
  double training_agreement_ = 0, training_unlike_ = 0;
};
static_assert(Predictor<ClusterClassifier> && Transformer<ClusterClassifier>);

/// How well a classifier fitted without some rows finds their labels.
struct CrossValidation {
  double agreement = 0;       ///< of all labelled rows, each judged by the fit that left it out
  double unlike = 0;          ///< share of them called unlike any cluster
  std::vector<double> folds;  ///< agreement of each fold
};
/// Stratified k-fold: n_folds fits, each on all other folds. A cluster whose rows are all in one fold cannot
/// be found there: such rows count as wrong. Errors as fit and stratified_folds.
CrossValidation cross_validate(const Rows& x, const Labels& labels, const ClusterClassifierOptions& options,
                               Index n_folds = 5, Seed seed = {42}, const Run& run = {});

}  // namespace shoal
