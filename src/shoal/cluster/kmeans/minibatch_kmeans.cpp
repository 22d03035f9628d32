#include "shoal/cluster/kmeans/minibatch_kmeans.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "shoal/cluster/kmeans/kmeans_family_impl.h"
#include "shoal/cluster/kmeans/seeding_impl.h"
#include "shoal/core/chunks.h"
#include "shoal/linear/norms.h"
#include "shoal/near/nearness_impl.h"

namespace shoal {
namespace {

constexpr Index kGrain = 256;
enum Draws : std::uint64_t { kSeeds, kSample, kBatches, kStarving };  // what a child of the seed is for

/// Rows that are already as the metric has them.
MetricRows ready(const Matrix& rows, Metric metric, const Run& run) {
  return MetricRows(rows, metric, ShiftScale{}, run);
}

/// Of each row to its own centroid; 0 where there is none.
std::vector<float> squared_distances(const MetricRows& rows, const Matrix& centers, const Labels& labels,
                                     const Run& run) {
  Nearness nearness(rows.metric(), rows.cols());
  nearness.use(centers);
  std::vector<float> squared(rows.rows());
  for_chunks(run, rows.rows(), kGrain, [&](Index, Index first, Index last) {
    RowScratch scratch;
    const MatrixView x = rows.block(first, last - first, scratch);
    for (Index i = first; i < last; ++i) {
      if (labels.of[i] == kNoise) continue;
      const float closeness = nearness.closeness(x[i - first], labels.of[i]);
      squared[i] = rows.metric() == Metric::cosine ? std::max(0.0f, 2 - 2 * closeness) : -closeness;
    }
  });
  return squared;
}

}  // namespace

MiniBatchKMeans::MiniBatchKMeans(const Options& options, const Space& space)
    : options_(options), space_(space), counts_(options.n_clusters) {}

MiniBatchKMeans MiniBatchKMeans::fit(const Rows& x, const Options& o, const Run& run) {
  check_options(o);
  check_rows(x, o.n_clusters);
  const MetricRows rows(x, o.metric, run);
  const Index n = rows.rows(), batch_size = std::min(o.batch_size, n);
  const Random in_sample(o.seed.child(kSample)), in_batch(o.seed.child(kBatches));

  std::vector<Index> which(std::min(n, 3 * std::max(batch_size, o.n_clusters)));
  for (Index i = 0; i < which.size(); ++i) which[i] = which.size() < n ? in_sample.below(i, n) : i;
  std::ranges::sort(which);
  which.erase(std::unique(which.begin(), which.end()), which.end());
  const Matrix sample = rows.gather(which);
  MiniBatchKMeans m(o, x.space());
  m.start(rows, ready(sample, o.metric, run), run);

  const Index steps = o.max_iter * ((n + batch_size - 1) / batch_size);
  const double share = std::min(1.0, 2.0 * static_cast<double>(batch_size) / (static_cast<double>(n) + 1));
  double smoothed = 0, best = std::numeric_limits<double>::infinity();
  for (Index worse = 0; m.n_steps_ < steps && worse < o.max_no_improvement;) {
    which.resize(batch_size);
    for (Index i = 0; i < batch_size; ++i) which[i] = in_batch.below(m.n_steps_ * batch_size + i, n);
    const Matrix batch = rows.gather(which);
    const double inertia = m.step(ready(batch, o.metric, run.quiet()), run.quiet());
    smoothed = m.n_steps_ <= 2 ? inertia : smoothed + share * (inertia - smoothed);  // not the start's
    worse = smoothed < best ? 0 : worse + 1;
    if (m.n_steps_ > 1) best = std::min(best, smoothed);
    if (run.progress)
      run.progress("mini-batch k-means", static_cast<double>(m.n_steps_), static_cast<double>(steps));
  }
  m.label(rows, run);
  return m;
}

MiniBatchKMeans MiniBatchKMeans::begin(const Rows& batch, const Options& options, const Run& run) {
  check_options(options);
  check_rows(batch, options.n_clusters);
  const MetricRows rows(batch, options.metric, run);
  MiniBatchKMeans m(options, batch.space());
  m.start(rows, rows, run);
  m.step(rows, run.quiet());
  m.label(rows, run);
  return m;
}

void MiniBatchKMeans::update(const Rows& batch, const Run& run) {
  check_input(batch, centers_.cols(), space_, "the clusters");
  const MetricRows rows = MetricRows(batch, options_.metric, frame_, run);
  MiniBatchKMeans next = *this;
  next.step(rows, run.quiet());
  next.label(rows, run);
  *this = std::move(next);
}

/// Centroids from the sample, or from all rows if it has too few distinct ones.
void MiniBatchKMeans::start(const MetricRows& rows, const MetricRows& sample, const Run& run) {
  frame_ = rows.frame();
  const auto seeds = [&](const MetricRows& from) {
    return seed_centers(from, options_.n_clusters, options_.seed.child(kSeeds), run, options_.init);
  };
  try {
    moved_centers_ = seeds(sample);
  } catch (const Error& e) {
    if (e.fault != Fault::data || sample.rows() == rows.rows()) throw;
    moved_centers_ = seeds(rows);
  }
  means_.assign(moved_centers_.data(), moved_centers_.data() + options_.n_clusters * rows.cols());
}

/// Returns the mean squared distance of the batch's rows to their centroids before these move.
double MiniBatchKMeans::step(const MetricRows& batch, const Run& run) {
  const Labels labels = label_rows(batch, moved_centers_, run, {});
  const std::vector<float> squared = squared_distances(batch, moved_centers_, labels, run);
  std::vector<bool> moved(options_.n_clusters);
  RowScratch scratch;
  const Index cols = batch.cols();
  for (Index i = 0; i < batch.rows(); ++i) {  // in order: every row weighs as much as each one before it
    if (labels.of[i] == kNoise) continue;
    const auto c = static_cast<Index>(labels.of[i]);
    const std::span<const float> x = batch.block(i, 1, scratch)[0];
    const double rate = 1 / ++counts_[c];
    double* mean = means_.data() + c * cols;
    for (Index j = 0; j < cols; ++j) mean[j] += rate * (x[j] - mean[j]);
    moved[c] = true;
  }
  for (Index c = 0; c < options_.n_clusters; ++c)
    if (moved[c]) move_center(c);
  ++n_steps_;
  seen_ += static_cast<double>(batch.rows());
  if (seen_ >= 10 * static_cast<double>(options_.n_clusters)) {
    seen_ = 0;
    feed_starving(batch, labels);
  }
  return std::accumulate(squared.begin(), squared.end(), 0.0) /
         static_cast<double>(std::max<Index>(1, batch.rows()));
}

/// A centroid whose mean cancels out under cosine stays where it is.
void MiniBatchKMeans::move_center(Index c) {
  const std::span<float> center = moved_centers_[c];
  const double* mean = means_.data() + c * center.size();
  double scale = 1;
  if (options_.metric == Metric::cosine) {
    const double squared = std::inner_product(mean, mean + center.size(), mean, 0.0);
    if (squared < 1e-12) return;
    scale = 1 / std::sqrt(squared);
  }
  for (Index j = 0; j < center.size(); ++j) center[j] = static_cast<float>(mean[j] * scale);
}

void MiniBatchKMeans::feed_starving(const MetricRows& batch, const Labels& labels) {
  constexpr float kOwnRow = 2e-6f;  // under cosine a row so near to its centroid gains nothing by its own one
  const double least = options_.reassignment_ratio * std::ranges::max(counts_);
  double smallest = std::numeric_limits<double>::infinity();
  for (const double count : counts_)
    if (count >= least) smallest = std::min(smallest, count);
  const std::vector<float> squared = squared_distances(batch, moved_centers_, labels, {.threads = 1});
  std::vector<Index> rows;
  for (Index i = 0; i < batch.rows(); ++i)
    if (squared[i] > (options_.metric == Metric::cosine ? kOwnRow : 0)) rows.push_back(i);
  const Random random(options_.seed.child(kStarving).child(n_steps_));
  Index fed = 0;
  for (Index c = 0; c < counts_.size() && fed < batch.rows() / 2 && !rows.empty(); ++c) {
    if (counts_[c] >= least) continue;
    const Matrix row = batch.gather({rows[random.below(fed++, rows.size())]});
    std::ranges::copy(row[0], means_.begin() + static_cast<std::ptrdiff_t>(c * row.cols()));
    counts_[c] = smallest;
    move_center(c);
    RowScratch scratch;
    std::erase_if(rows, [&](Index i) { return std::ranges::equal(batch.block(i, 1, scratch)[0], row[0]); });
  }
}

void MiniBatchKMeans::label(const MetricRows& rows, const Run& run) {
  centers_ = out_of(frame_, moved_centers_);
  labels_ = label_rows(rows, moved_centers_, run, "predict clusters");
  const std::vector<float> squared = squared_distances(rows, moved_centers_, labels_, run);
  inertia_ = std::accumulate(squared.begin(), squared.end(), 0.0) / frame_.scale / frame_.scale;
}

Labels MiniBatchKMeans::predict(const Rows& x, const Run& run) const {
  check_input(x, centers_.cols(), space_, "the clusters");
  return label_rows(MetricRows(x, options_.metric, frame_, run), moved_centers_, run, "predict clusters");
}

Matrix MiniBatchKMeans::transform(const Rows& x, const Run& run) const {
  check_input(x, centers_.cols(), space_, "the clusters");
  return distances(MetricRows(x, options_.metric, frame_, run), moved_centers_, run);
}

void MiniBatchKMeans::save(ArchiveWriter& out) const {
  out.options(list_fields(options_));
  out.space(space_);
  write_frame(out, frame_);
  out.add("centers", moved_centers_.view());
  out.add("means", std::span<const double>(means_));
  out.add("counts", std::span<const double>(counts_));
  out.add("labels", std::span<const std::int32_t>(labels_.of));
  const double numbers[] = {inertia_, seen_};
  out.add("inertia_seen", std::span<const double>(numbers));
  write_count(out, "n_steps", n_steps_);
}

MiniBatchKMeans MiniBatchKMeans::load(const ArchiveReader& in) {
  check_kind(in, kind);
  MiniBatchKMeans m;
  m.options_ = read_options<Options>(in);
  m.space_ = read_space(in);
  const Index k = m.options_.n_clusters;
  m.moved_centers_ = read_centers(in, "centers", k, m.options_.metric);
  m.frame_ = read_frame(in, m.moved_centers_.cols());
  m.centers_ = out_of(m.frame_, m.moved_centers_);
  m.means_ = read_doubles(in, "means", k * m.moved_centers_.cols());
  m.counts_ = read_doubles(in, "counts", k);
  m.labels_ = read_labels(in, k);
  const std::vector<double> numbers = read_doubles(in, "inertia_seen", 2);
  m.inertia_ = numbers[0];
  m.seen_ = numbers[1];
  m.n_steps_ = read_count(in, "n_steps");
  return m;
}

}  // namespace shoal
