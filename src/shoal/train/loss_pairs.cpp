#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "shoal/core/chunks.h"
#include "shoal/train/loss_parts_impl.h"

namespace shoal {
namespace {

constexpr Index kRows = 32;      // of a chunk
constexpr double kShift = 1e-6;  // of torch's pairwise_distance
constexpr double kLowest = -std::numeric_limits<double>::infinity();

/// log(exp(a) + exp(b))
double log_add(double a, double b) {
  if (a < b) std::swap(a, b);
  return b == kLowest ? a : a + std::log1p(std::exp(b - a));
}

/// |cosine + sine| of two vectors as complex numbers: the first half of each is their real part, the second
/// the imaginary part (Li, Li 2024).
class Angle {
 public:
  Angle(std::span<const float> a, std::span<const float> b)
      : half_((a.size() + 1) / 2), a_(unit(a, length_a_)), b_(unit(b, length_b_)) {
    double sum = 0;
    for (Index k = 0; k < a_.size(); ++k) sum += a_[k] * b_[k];
    for (Index k = 0; k < half_; ++k) sum += a_[half_ + k] * b_[k] - a_[k] * b_[half_ + k];
    value_ = sum;
  }
  double value() const { return std::abs(value_); }

  void add(double factor, std::span<double> to_a, std::span<double> to_b) const {
    if (value_ == 0) return;
    if (value_ < 0) factor = -factor;
    std::vector<double> by_a = b_, by_b = a_;
    for (Index k = 0; k < half_; ++k) {
      by_a[half_ + k] += b_[k];
      by_a[k] -= b_[half_ + k];
      by_b[k] += a_[half_ + k];
      by_b[half_ + k] -= a_[k];
    }
    back(a_, length_a_, by_a, factor, to_a);
    back(b_, length_b_, by_b, factor, to_b);
  }

 private:
  /// Of an even number of numbers: a 0 at the end if need be.
  std::vector<double> unit(std::span<const float> x, double& length) const {
    length = length_of(x);
    std::vector<double> out(2 * half_);
    for (Index k = 0; k < x.size() && length > 0; ++k) out[k] = static_cast<double>(x[k]) / length;
    return out;
  }
  static void back(const std::vector<double>& unit, double length, const std::vector<double>& slope,
                   double factor, std::span<double> to) {
    if (length == 0) return;
    const double along = std::inner_product(unit.begin(), unit.end(), slope.begin(), 0.0);
    for (Index k = 0; k < to.size(); ++k) to[k] += factor * (slope[k] - unit[k] * along) / length;
  }

  Index half_;
  double length_a_ = 0, length_b_ = 0, value_ = 0;
  std::vector<double> a_, b_;
};

/// log of 1 + the sum over all pairs of rows of which the first has the lower target: exp(its scaled
/// similarity - the other's). Sorted by target, so that each row needs two sums only.
double cosent(const LossTask& task, std::span<const double> similarity, std::span<double> factors) {
  const Index n = task.rows();
  std::vector<Index> order(n);
  std::iota(order.begin(), order.end(), Index{0});
  std::ranges::stable_sort(order, {}, [&](Index i) { return task.target(i); });
  std::vector<double> s(n), before(n + 1, kLowest), from(n + 1, kLowest);
  for (Index k = 0; k < n; ++k) s[k] = task.options.scale * similarity[order[k]];
  for (Index k = 0; k < n; ++k) before[k + 1] = log_add(before[k], s[k]);
  for (Index k = n; k-- > 0;) from[k] = log_add(from[k + 1], -s[k]);
  double loss = 0;
  std::vector<Index> first(n), last(n);  // of the rows with this target; one after
  for (Index k = 0; k < n; ++k)
    first[k] = k > 0 && task.target(order[k]) == task.target(order[k - 1]) ? first[k - 1] : k;
  for (Index k = n; k-- > 0;) last[k] = k + 1 < n && first[k + 1] == first[k] ? last[k + 1] : k + 1;
  for (Index k = 0; k < n; ++k)
    if (last[k] < n) loss = log_add(loss, s[k] + from[last[k]]);
  for (Index k = 0; k < n; ++k) {
    const double above = std::exp(s[k] + from[last[k]] - loss),
                 below = std::exp(before[first[k]] - s[k] - loss);
    factors[order[k]] = task.options.scale * (above - below);
  }
  return loss;
}

double contrastive(const LossTask& task, std::span<const double> distance, std::span<double> factors) {
  const double margin = margin_of(task.options), n = static_cast<double>(task.rows());
  double sum = 0;
  for (Index i = 0; i < distance.size(); ++i) {
    const double alike = task.target(i), gap = std::max(0.0, margin - distance[i]);
    sum += 0.5 * (alike * distance[i] * distance[i] + (1 - alike) * gap * gap);
    factors[i] = (alike * distance[i] - (1 - alike) * gap) / n;
  }
  return sum / n;
}

/// Only negatives nearer than the farthest positive, and positives farther than the nearest negative. A sum.
double online_contrastive(const LossTask& task, std::span<const double> distance, std::span<double> factors) {
  struct Side {
    double least = -kLowest, most = kLowest, sum = 0;
    Index n = 0;
    double mean() const { return sum / static_cast<double>(n); }
  } sides[2];  // unlike, alike
  const auto is_alike = [&](Index i) { return task.target(i) != 0; };
  for (Index i = 0; i < distance.size(); ++i) {
    Side& side = sides[is_alike(i)];
    side.least = std::min(side.least, distance[i]);
    side.most = std::max(side.most, distance[i]);
    side.sum += distance[i];
    ++side.n;
  }
  const auto& [unlike, alike] = sides;
  const double margin = margin_of(task.options);
  double sum = 0;
  for (Index i = 0; i < distance.size(); ++i) {
    const double d = distance[i];
    if (is_alike(i)) {
      if (!(d > (unlike.n > 0 ? unlike.least : alike.mean()))) continue;
      sum += d * d;
      factors[i] = 2 * d;
    } else {
      if (!(d < (alike.n > 0 ? alike.most : unlike.mean()))) continue;
      const double gap = std::max(0.0, margin - d);
      sum += gap * gap;
      factors[i] = -2 * gap;
    }
  }
  return sum;
}

double squared_error(const LossTask& task, std::span<const double> similarity, std::span<double> factors) {
  const double n = static_cast<double>(task.rows());
  double sum = 0;
  for (Index i = 0; i < similarity.size(); ++i) {
    const double error = similarity[i] - task.target(i);
    sum += error * error;
    factors[i] = 2 * error / n;
  }
  return sum / n;
}

}  // namespace

double loss_of_pairs(const LossTask& task) {
  const LossKind kind = task.options.kind;
  const MatrixView a = task.batch.columns[0], b = task.batch.columns[1];
  const bool contrasts = kind == LossKind::contrastive || kind == LossKind::online_contrastive;
  const bool euclidean = contrasts && distance_of(task.options) == LossDistance::euclidean;
  const auto value_of = [&](PairSlope& pair) {
    return !contrasts  ? pair.cosine()
           : euclidean ? pair.shifted_euclidean(kShift)
                       : pair.distance(LossDistance::cosine);
  };
  std::vector<double> values(a.rows), factors(a.rows);
  for_chunks(task.run.quiet(), a.rows, kRows, [&](Index, Index first, Index last) {
    for (Index i = first; i < last; ++i) {
      PairSlope pair(a[i], b[i]);
      values[i] = kind == LossKind::angle ? Angle(a[i], b[i]).value() : value_of(pair);
    }
  });
  const double loss = kind == LossKind::cosine        ? squared_error(task, values, factors)
                      : kind == LossKind::contrastive ? contrastive(task, values, factors)
                      : contrasts                     ? online_contrastive(task, values, factors)
                                                      : cosent(task, values, factors);
  for_chunks(task.run.quiet(), a.rows, kRows, [&](Index, Index first, Index last) {
    std::vector<double> by_a(a.cols), by_b(a.cols);
    for (Index i = first; i < last; ++i) {
      std::ranges::fill(by_a, 0);
      std::ranges::fill(by_b, 0);
      PairSlope pair(a[i], b[i]);
      if (kind == LossKind::angle) {
        Angle(a[i], b[i]).add(factors[i], by_a, by_b);
      } else {
        value_of(pair);
        pair.add(factors[i], by_a, by_b);
      }
      for (Index j = 0; j < a.cols; ++j) {
        task.slopes[0][i][j] = static_cast<float>(by_a[j]);
        task.slopes[1][i][j] = static_cast<float>(by_b[j]);
      }
    }
  });
  return loss;
}

double loss_of_triplets(const LossTask& task) {
  const MatrixView anchor = task.batch.columns[0], positive = task.batch.columns[1],
                   negative = task.batch.columns[2];
  const LossDistance kind = distance_of(task.options);
  const double margin = margin_of(task.options), n = static_cast<double>(anchor.rows);
  std::vector<double> losses(anchor.rows);
  for_chunks(task.run.quiet(), anchor.rows, kRows, [&](Index, Index first, Index last) {
    std::vector<double> slopes[3];
    for (Index i = first; i < last; ++i) {
      PairSlope near(anchor[i], positive[i]), far(anchor[i], negative[i]);
      losses[i] = std::max(0.0, near.distance(kind) - far.distance(kind) + margin);
      if (losses[i] == 0) continue;
      for (auto& slope : slopes) slope.assign(anchor.cols, 0);
      near.add(1 / n, slopes[0], slopes[1]);
      far.add(-1 / n, slopes[0], slopes[2]);
      for (Index c = 0; c < 3; ++c)
        for (Index j = 0; j < anchor.cols; ++j) task.slopes[c][i][j] = static_cast<float>(slopes[c][j]);
    }
  });
  return std::accumulate(losses.begin(), losses.end(), 0.0) / n;
}

}  // namespace shoal
