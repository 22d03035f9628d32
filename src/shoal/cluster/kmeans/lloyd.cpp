#include "shoal/cluster/kmeans/lloyd_impl.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "shoal/cluster/kmeans/angle_bounds_impl.h"
#include "shoal/cluster/kmeans/center_bounds_impl.h"
#include "shoal/cluster/kmeans/exact_sums_impl.h"
#include "shoal/core/chunks.h"
#include "shoal/near/nearness_impl.h"

namespace shoal {
namespace {

constexpr Index kGrain = 2048;
constexpr Index kBlock = 256;    // rows looked at together: they stay in the second-level cache
constexpr Index kLearnFrom = 1;  // the round whose products are remembered: the first centroids move too far
// A single product costs about so many times its share of a matrix product: rows that need more than one in
// so many of the centroids get all of them.
constexpr Index kProductCost = 4;
constexpr float kOwnRow =
    1 - 1e-6f;                     // a row of a greater cosine to its centroid gains nothing by its own one
constexpr double kCancels = 1e-7;  // an inertia below this share of the squared lengths is summed row by row
constexpr float kNone = -std::numeric_limits<float>::infinity();  // closeness of no centroid

/// What the sums of all rows may come to.
ExactSums::Range range_of(const MetricRows& rows, std::span<const float> weights) {
  ExactSums::Range range{.most_rows = rows.rows()};
  if (!weights.empty()) range.most_weight = std::ranges::max(weights);
  if (rows.metric() == Metric::euclidean) {
    float longest = 0;
    for (Index i = 0; i < rows.rows(); ++i) longest = std::max(longest, rows.squared_length(i));
    range.most = 1.001 * std::sqrt(static_cast<double>(longest)) + 0x1p-60;
  }
  range.fine = rows.metric() == Metric::euclidean || !weights.empty();
  return range;
}

class Rounds {
 public:
  Rounds(const MetricRows& rows, Matrix start, const LloydOptions& options, const Run& run)
      : rows_(rows),
        cosine_(rows.metric() == Metric::cosine),
        options_(options),
        run_(run.quiet()),
        centers_(std::move(start)),
        labels_(rows.rows(), kNoise),
        range_(range_of(rows, options.weights)),
        sums_(clusters(), rows.cols(), range_),
        nearness_(rows.metric(), rows.cols()),
        distances_(nearness_, rows.cols()),
        bounds_(options.bounds ? rows.rows() : 0, clusters(), options.bound_bytes),
        squares_(cosine_ ? 0 : sum_of_squares()) {}

  LloydResult go(const Run& run) {
    double objective = 0;
    Index round = 0;
    for (;; ++round) {
      const Index changed = assign(round);
      const double before = std::exchange(objective, total());
      if (run.progress)
        run.progress("k-means", static_cast<double>(round), static_cast<double>(options_.max_iter));
      const bool slow = round > 0 && options_.tol > 0 && objective - before < options_.tol * std::abs(before);
      if (round == options_.max_iter || (slow && !has_empty())) break;
      if (fill_empty() == 0 && changed == 0) break;
      move_centers();
    }
    const double most = static_cast<double>(options_.max_iter);
    if (run.progress) run.progress("k-means", most, most);
    const double counted = mass();
    return {std::move(centers_), {std::move(labels_), sums_clusters_}, objective, counted, round};
  }

 private:
  struct Scratch {
    RowScratch rows;
    std::vector<std::uint32_t> sets;
    std::vector<Angle> angles;
    std::vector<Index> full;  // rows that need every product
    Matrix gathered, scores;
  };

  Index clusters() const { return centers_.rows(); }

  // ---- labels

  /// Labels every row by the current centers; returns how many labels changed.
  Index assign(Index round) {
    nearness_.use(centers_);
    learning_ = options_.bounds && round >= kLearnFrom;
    if (learning_ && round == kLearnFrom && !cosine_) set_unit();
    const bool informed = options_.bounds && round > kLearnFrom;
    changed_ = 0;
    for_chunks(run_, rows_.rows(), kGrain, [&](Index, Index first, Index last) {
      Scratch scratch;
      for (Index i = first; i < last; i += kBlock)
        assign_block(i, std::min(kBlock, last - i), informed, scratch);
    });
    return changed_;
  }

  void assign_block(Index first, Index count, bool informed, Scratch& scratch) {
    scratch.full.clear();
    for (Index i = first; i < first + count; ++i)
      if (!rows_.zero(i) && !(informed && settled_by_bounds(i, scratch))) scratch.full.push_back(i);
    if (scratch.full.empty()) return;
    const MatrixView full = gather(first, count, scratch);
    scratch.angles.resize(clusters());
    nearness_.for_scores(full, scratch.scores, [&](Index n, std::span<const float> scores) {
      const Index row = scratch.full[n];
      const Nearest best = nearness_.nearest(full[n], rows_.squared_length(row), scores);
      relabel(row, full[n], best.label);
      if (!learning_) return;
      bounds_.set_limit(row, best.label, distances_.limit(best.closeness));
      distances_.at_least(rows_.squared_length(row), scores, scratch.angles.data());
      bounds_.learn(row, best.label, scratch.angles);
    });
  }

  /// The rows of a block that need every product, one after another in memory.
  MatrixView gather(Index first, Index count, Scratch& scratch) const {
    if (scratch.full.size() == count) return rows_.block(first, count, scratch.rows);
    if (scratch.gathered.rows() == 0) scratch.gathered = Matrix(kBlock, rows_.cols());
    for (Index n = 0; n < scratch.full.size(); ++n)
      std::ranges::copy(rows_.block(scratch.full[n], 1, scratch.rows)[0], scratch.gathered[n].begin());
    return scratch.gathered.view().slice(0, scratch.full.size());
  }

  void relabel(Index row, std::span<const float> x, Label label) {
    const Label old = std::exchange(labels_[row], label);
    if (old == label) return;
    const float w = weight(row);
    if (w > 0) sums_.move(x, w, old, label);
    changed_.fetch_add(1, std::memory_order_relaxed);
  }

  /// True if bounds and a few products settle the row's label: then it is up to date. Many rows are settled
  /// without being read: memory is what the late rounds wait for.
  bool settled_by_bounds(Index row, Scratch& scratch) {
    const Label own = labels_[row];
    bounds_.settle(row, own);
    int limit = bounds_.limit(row, own);
    if (limit >= kRightAngle) return false;
    if (!bounds_.any_within(row, limit)) return true;

    const std::span<const float> x = rows_.block(row, 1, scratch.rows)[0];
    // a sharper limit than the one that the centroid's moves have blurred
    const float closeness = nearness_.closeness(x, own);
    limit = distances_.limit(closeness);
    if (limit >= kRightAngle) return false;
    bounds_.set_limit(row, own, limit);
    const auto sets = bounds_.sets_within(row, limit, scratch.sets);
    if (sets.empty()) return true;
    if (sets.size() * bounds_.width() * kProductCost > clusters()) return false;
    return try_sets(row, x, {own, closeness}, sets);
  }

  /// Looks at the centroids of `sets`. False if the best two are too close for single products to tell which
  /// of them is the nearest.
  bool try_sets(Index row, std::span<const float> x, const Nearest own, std::span<const std::uint32_t> sets) {
    Nearest best = own;
    float second = kNone, best_set_second = kNone;  // second of all; second in the set of the best
    Index best_set = bounds_.sets();                // none: the own one
    for (const std::uint32_t s : sets) {
      const Index begin = s * bounds_.width(), end = std::min(begin + bounds_.width(), clusters());
      Nearest here{kNoise, kNone};
      float second_here = kNone;
      for (Index c = begin; c < end; ++c) {
        if (static_cast<Label>(c) == own.label) continue;
        const float closeness = nearness_.closeness(x, static_cast<Label>(c));
        if (closeness > here.closeness) {
          second_here = std::exchange(here.closeness, closeness);
          here.label = static_cast<Label>(c);
        } else {
          second_here = std::max(second_here, closeness);
        }
      }
      if (here.label == kNoise) continue;
      bounds_.set_bound(row, s, distances_.at_least(here.closeness));
      second = std::max({second, second_here, std::min(best.closeness, here.closeness)});
      if (nearer(here, best)) {
        best = here;
        best_set = s;
        best_set_second = second_here;
      }
    }
    if (best.closeness - second <= distances_.unsure()) return false;
    if (best.label != own.label) change_own(row, own, best, best_set, best_set_second);
    relabel(row, x, best.label);
    return true;
  }

  static bool nearer(const Nearest& a, const Nearest& b) {
    return a.closeness > b.closeness || (a.closeness == b.closeness && a.label < b.label);
  }

  /// The old centroid becomes one of the others, the new one leaves them.
  void change_own(Index row, const Nearest& old, const Nearest& now, Index now_set, float now_set_second) {
    const Index old_set = static_cast<Index>(old.label) / bounds_.width();
    bounds_.set_bound(row, now_set, now_set_second == kNone ? kNoAngle : distances_.at_least(now_set_second));
    const int known = bounds_.bound(row, old_set), old_bound = distances_.at_least(old.closeness);
    if (old_bound < known) bounds_.set_bound(row, old_set, static_cast<Angle>(old_bound));
    bounds_.set_limit(row, now.label, distances_.limit(now.closeness));
  }

  // ---- centers

  float weight(Index row) const { return options_.weights.empty() ? 1 : options_.weights[row]; }

  double mass() const {
    double sum = 0;
    for (Index c = 0; c < clusters(); ++c) sum += sums_.mass(c);
    return sum;
  }

  /// The objective, from the exact sums: of w cosine, or of -w |x - c|^2 = -w |x|^2 + 2 w x.c - w |c|^2.
  double total() const {
    double products = 0, squared = 0;
    for (Index c = 0; c < clusters(); ++c) {
      const auto sum = sums_.sum(c);
      double length = 0;
      for (Index j = 0; j < sum.size(); ++j) {
        const double v = centers_[c][j];
        products += sum[j] * v;
        length += v * v;
      }
      squared += sums_.mass(c) * length;
    }
    if (cosine_) return products;
    const double inertia = squares_ + squared - 2 * products;
    return inertia > kCancels * squares_ ? -inertia : -direct_inertia();
  }

  /// Where the difference of large sums has lost its digits: all but a few rows lie at their centroids.
  double direct_inertia() const {
    const std::vector<float> closeness = own_closeness();
    double sum = 0;
    for (Index i = 0; i < rows_.rows(); ++i) sum -= static_cast<double>(weight(i)) * closeness[i];
    return sum;
  }

  /// Of all rows, times their weights, in double.
  double sum_of_squares() const {
    const auto sum = [&](Index first, Index last) {
      RowScratch scratch;
      const MatrixView x = rows_.block(first, last - first, scratch);
      double total = 0;
      for (Index i = first; i < last; ++i) {
        double row = 0;
        for (const float v : x[i - first]) row += static_cast<double>(v) * v;
        total += weight(i) * row;
      }
      return total;
    };
    return fold_chunks(run_, rows_.rows(), kGrain, 0.0, sum, [](double& all, double part) { all += part; });
  }

  /// Bounds count in shares of what a row is usually away from its centroid.
  void set_unit() { distances_.set_unit(std::sqrt(-total() / mass()), range_.most); }

  bool has_empty() const {
    for (Index c = 0; c < clusters(); ++c)
      if (sums_.count(c) == 0) return true;
    return false;
  }

  /// Gives each empty cluster the furthest row; returns how many got one.
  Index fill_empty() {
    if (!has_empty()) return 0;
    const std::vector<float> closeness = own_closeness();
    std::vector<Index> order(rows_.rows());
    std::iota(order.begin(), order.end(), Index{0});
    std::ranges::stable_sort(order, {}, [&](Index i) { return closeness[i]; });
    auto next = order.begin();
    Index filled = 0;
    for (Index c = 0; c < clusters(); ++c) {
      if (sums_.count(c) > 0) continue;
      while (next != order.end() && !may_leave(*next, closeness[*next])) ++next;
      if (next == order.end()) break;
      RowScratch scratch;
      const Index row = *next++;
      relabel(row, rows_.block(row, 1, scratch)[0], static_cast<Label>(c));
      if (options_.bounds) bounds_.forget(row);
      ++filled;
    }
    return filled;
  }

  bool may_leave(Index row, float closeness) const {
    return labels_[row] != kNoise && weight(row) > 0 && closeness < (cosine_ ? kOwnRow : 0) &&
           sums_.count(static_cast<Index>(labels_[row])) > 1;
  }

  std::vector<float> own_closeness() const {
    std::vector<float> closeness(rows_.rows());
    for_chunks(run_, rows_.rows(), kGrain, [&](Index, Index first, Index last) {
      RowScratch scratch;
      const MatrixView x = rows_.block(first, last - first, scratch);
      for (Index i = first; i < last; ++i)
        if (labels_[i] != kNoise) closeness[i] = nearness_.closeness(x[i - first], labels_[i]);
    });
    return closeness;
  }

  void move_centers() {
    std::vector<Angle> step(clusters());
    for_chunks(run_, clusters(), 16, [&](Index, Index first, Index last) {
      std::vector<float> old(rows_.cols());
      for (Index c = first; c < last; ++c) {
        std::ranges::copy(centers_[c], old.begin());
        move_center(c);
        step[c] = distances_.step(old, centers_[c]);
      }
    });
    if (options_.bounds) bounds_.advance(step);
  }

  void move_center(Index c) {
    constexpr double kCancelled = 1e-12;  // squared length up to which a sum has no direction
    const double mass = sums_.mass(c), light = std::min(1.0, mass);
    if (!(mass > 0)) return;
    const auto sum = sums_.sum(c);
    double scale = 0;
    if (cosine_) {
      const double squared = std::inner_product(sum.begin(), sum.end(), sum.begin(), 0.0);
      if (squared <= kCancelled * light * light) return;
      scale = 1 / std::sqrt(squared);
    } else {
      scale = 1 / mass;
    }
    for (Index j = 0; j < sum.size(); ++j) centers_[c][j] = static_cast<float>(sum[j] * scale);
  }

  const MetricRows& rows_;
  bool cosine_;
  LloydOptions options_;
  Run run_;
  Matrix centers_;
  Index sums_clusters_ = centers_.rows();
  std::vector<Label> labels_;
  ExactSums::Range range_;
  ExactSums sums_;
  Nearness nearness_;
  CenterBounds distances_;
  AngleBounds bounds_;
  double squares_;
  bool learning_ = false;
  std::atomic<Index> changed_ = 0;
};

}  // namespace

LloydResult lloyd(const MetricRows& rows, Matrix start, const LloydOptions& options, const Run& run) {
  return Rounds(rows, std::move(start), options, run).go(run);
}

}  // namespace shoal
