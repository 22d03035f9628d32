#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "shoal/cluster/kmeans/kmeans.h"
#include "shoal/near/exact.h"

namespace shoal {

class MetricRows;  // metric_rows_impl.h

/// What `MiniBatchKMeans::fit` may be told.
struct MiniBatchKMeansOptions {
  Index n_clusters = 8;  ///< 1..distinct rows
  Metric metric = Metric::euclidean;
  Index batch_size = 1024;           ///< rows a step, >= 1
  Index max_iter = 100;              ///< most passes' worth of steps, >= 1
  Index max_no_improvement = 10;     ///< stop after so many steps without a better (smoothed) inertia, >= 1
  double reassignment_ratio = 0.01;  ///< a centroid with less than this share of the largest count starves,
                                     ///< 0..1; 0: none does
  KMeansInit init = KMeansInit::kmeans_plus_plus;
  Seed seed{42};
};
template <class V>
void fields(MiniBatchKMeansOptions& o, V&& visit) {
  visit("n_clusters", o.n_clusters, "clusters to find", at_least(1));
  visit("metric", o.metric, "distance of rows");
  visit("batch_size", o.batch_size, "rows in each step", at_least(1));
  visit("max_iter", o.max_iter, "most passes' worth of steps", at_least(1));
  visit("max_no_improvement", o.max_no_improvement, "stop after so many steps without a better inertia",
        at_least(1));
  visit("reassignment_ratio", o.reassignment_ratio, "share of the largest count below which a centroid moves",
        between(0, 1));
  visit("init", o.init, "how the first centroids are drawn");
  visit("seed", o.seed, "start of all randomness");
}

/// k-means in small steps (Sculley 2010): each step labels one batch of rows and moves every centroid to the
/// mean of all rows that it was ever given, so that it moves less and less. For data that come as a stream
/// (`begin`, then `update`), or that are too many for Lloyd's rounds; the objective is a few percent worse.
///
///   MiniBatchKMeans groups = MiniBatchKMeans::begin(first_batch, {.n_clusters = 50});
///   for (...) groups.update(next_batch);
///   groups.predict(rows);
///
/// Under cosine rows are normalised and centroids are directions of means; a row of zeros gets kNoise and
/// moves nothing. Starving centroids: whenever 10 n_clusters more rows have been seen, each centroid whose
/// count is below reassignment_ratio of the largest is set onto a row of the batch drawn at random among
/// those that differ from their centroid, and gets the smallest count of the others; at most half a batch of
/// them at a time. Batches and draws depend on (seed, step) alone: the same bits for any number of threads.
class MiniBatchKMeans {
 public:
  using Options = MiniBatchKMeansOptions;
  static constexpr std::string_view kind = "minibatch_kmeans";
  static constexpr std::string_view title = "mini-batch k-means";  ///< for people

  /// Starts from centroids drawn from a sample of max(3 batch_size, 3 n_clusters) rows (from all rows if the
  /// sample has too few distinct ones), takes steps on batches drawn with replacement, then labels all rows.
  /// Errors as KMeans::fit.
  static MiniBatchKMeans fit(const Rows& x, const Options& options = {}, const Run& run = {});
  /// Starts from a first batch of a stream, which is also the first step: it needs n_clusters distinct rows,
  /// and tells how rows spread. Errors as fit.
  static MiniBatchKMeans begin(const Rows& batch, const Options& options = {}, const Run& run = {});
  /// One more step with the rows of `batch` (any number; batch_size is not used). Then labels() are those of
  /// this batch by the moved centroids. Errors as predict; after an error nothing has changed.
  void update(const Rows& batch, const Run& run = {});

  const Labels& labels() const& { return labels_; }  ///< of the rows given last
  Labels labels() && { return std::move(labels_); }
  Labels predict(const Rows& x, const Run& run = {}) const;
  /// Distance to each centroid, cosine (0..2) or Euclidean: rows x n_clusters.
  Matrix transform(const Rows& x, const Run& run = {}) const;
  const Matrix& cluster_centers() const& { return centers_; }  ///< n_clusters x d; unit rows under cosine
  Matrix cluster_centers() && { return std::move(centers_); }
  const std::vector<double>& counts() const& { return counts_; }  ///< rows that each centroid was given
  std::vector<double> counts() && { return std::move(counts_); }
  /// Of the rows given last: sum of squared distances (under cosine: on the sphere).
  double inertia() const { return inertia_; }
  Index n_steps() const { return n_steps_; }  ///< batches seen
  const Space& space() const& { return space_; }
  Space space() && { return std::move(space_); }
  const Options& options() const& { return options_; }
  Options options() && { return std::move(options_); }

  void save(ArchiveWriter& out) const;
  static MiniBatchKMeans load(
      const ArchiveReader& in);  ///< Error(format) unless `in` holds what `save` writes

 private:
  MiniBatchKMeans() = default;
  MiniBatchKMeans(const Options& options, const Space& space);
  void start(const MetricRows& rows, const MetricRows& sample, const Run& run);
  double step(const MetricRows& batch, const Run& run);
  void move_center(Index c);
  void feed_starving(const MetricRows& batch, const Labels& labels);
  void label(const MetricRows& rows, const Run& run);

  Options options_;
  Space space_;
  ShiftScale frame_;
  std::vector<double> means_;   // n_clusters x d, in the frame; under cosine not of length 1
  std::vector<double> counts_;  // n_clusters
  Matrix moved_centers_, centers_;
  Labels labels_;
  double inertia_ = 0;
  double seen_ = 0;  // rows since starving centroids were looked for
  Index n_steps_ = 0;
};
static_assert(Clusterer<MiniBatchKMeans> && Predictor<MiniBatchKMeans> && Transformer<MiniBatchKMeans>);

}  // namespace shoal
