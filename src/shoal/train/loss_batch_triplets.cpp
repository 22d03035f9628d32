#include <algorithm>
#include <cmath>
#include <numeric>

#include "shoal/core/chunks.h"
#include "shoal/kernels/kernels.h"
#include "shoal/train/loss_parts_impl.h"

namespace shoal {
namespace {

constexpr Index kAnchors = 64;  // whose distances are kept at once

/// What one anchor adds to the loss, before all is divided by `parts`.
struct AnchorLoss {
  double value = 0;
  Index parts = 0;
};

/// The rows as one anchor sees them.
struct Seen {
  std::span<const double> distance;  // to each row
  std::vector<Index> positives;      // others of its label
  std::vector<Index> negatives;  // rows of other labels, nearest first (the hardest loss: only the first is)
  std::span<double> slope;       // of its loss by each distance; zeros at first
  double margin;
};

/// The farthest positive (none: 0 away) against the nearest negative.
AnchorLoss hardest(const Seen& seen, bool soft) {
  AnchorLoss out{.parts = 1};
  if (seen.negatives.empty()) return out;
  Index positive = seen.distance.size();
  double far = 0;
  for (const Index j : seen.positives)
    if (seen.distance[j] > far) {
      far = seen.distance[j];
      positive = j;
    }
  const Index negative = seen.negatives.front();
  const double gap = far - seen.distance[negative] + (soft ? 0 : seen.margin);
  double by = 0;
  if (soft) {
    out.value = std::max(gap, 0.0) + std::log1p(std::exp(-std::abs(gap)));
    by = gap > 0 ? 1 / (1 + std::exp(-gap)) : std::exp(gap) / (1 + std::exp(gap));
  } else if (gap > 0) {
    out.value = gap;
    by = 1;
  }
  if (positive < seen.distance.size()) seen.slope[positive] += by;
  seen.slope[negative] -= by;
  return out;
}

/// Each positive against the nearest negative farther than it, or the farthest if there is none.
AnchorLoss semi_hard(const Seen& seen) {
  AnchorLoss out{.parts = seen.positives.size()};
  if (seen.negatives.empty()) return out;
  for (const Index j : seen.positives) {
    auto at = std::ranges::upper_bound(seen.negatives, seen.distance[j], {},
                                       [&](Index k) { return seen.distance[k]; });
    if (at == seen.negatives.end()) --at;
    const double gap = seen.distance[j] - seen.distance[*at] + seen.margin;
    if (!(gap > 0)) continue;
    out.value += gap;
    seen.slope[j] += 1;
    seen.slope[*at] -= 1;
  }
  return out;
}

/// Each positive against each negative that is not far enough.
AnchorLoss every(const Seen& seen) {
  AnchorLoss out;
  const Index n = seen.negatives.size();
  std::vector<double> sums(n + 1);
  std::vector<Index> ends(n + 1);  // how many positives have so many negatives that are too near
  for (Index k = 0; k < n; ++k) sums[k + 1] = sums[k] + seen.distance[seen.negatives[k]];
  for (const Index j : seen.positives) {
    const double reach = seen.distance[j] + seen.margin;
    const auto count = static_cast<Index>(
        std::ranges::lower_bound(seen.negatives, reach, {}, [&](Index k) { return seen.distance[k]; }) -
        seen.negatives.begin());
    out.value += static_cast<double>(count) * reach - sums[count];
    out.parts += count;
    seen.slope[j] += static_cast<double>(count);
    ++ends[count];
  }
  Index nearer = 0;
  for (Index k = n; k-- > 0;) {
    nearer += ends[k + 1];
    seen.slope[seen.negatives[k]] -= static_cast<double>(nearer);
  }
  return out;
}

class BatchTriplets {
 public:
  explicit BatchTriplets(const LossTask& task)
      : task_(task), kind_(distance_of(task.options)), n_(task.rows()), given_(task.batch.columns[0]) {
    if (kind_ == LossDistance::cosine) units_ = unit_length(given_, lengths_, task.run);
    x_ = kind_ == LossDistance::cosine ? units_.view() : given_;
    by_rows_.assign(n_ * x_.cols, 0);
  }

  double run() {
    AnchorLoss all;
    for (Index first = 0; first < n_; first += kAnchors) {
      const Index count = std::min(kAnchors, n_ - first);
      std::vector<AnchorLoss> losses(count);
      slopes_.assign(count * n_, 0);
      for_chunks(task_.run.quiet(), count, 1,
                 [&](Index, Index i, Index) { losses[i] = from_anchor(first, i); });
      for_chunks(task_.run.quiet(), n_, 16, [&](Index, Index begin, Index end) {
        for (Index j = begin; j < end; ++j)
          for (Index i = 0; i < count; ++i) add(slopes_[i * n_ + j], j, first + i);
      });
      for (const AnchorLoss& loss : losses) {
        all.value += loss.value;
        all.parts += loss.parts;
      }
    }
    const double share = all.parts == 0 ? 0 : 1 / static_cast<double>(all.parts);
    std::vector<double> slope(x_.cols);
    for (Index i = 0; i < n_; ++i) {
      const auto out = task_.slopes[0][i];
      for (Index k = 0; k < x_.cols; ++k) slope[k] = share * by_rows_[i * x_.cols + k];
      if (kind_ == LossDistance::cosine)
        unit_back(x_[i], lengths_[i], slope, out);
      else
        for (Index k = 0; k < x_.cols; ++k) out[k] = static_cast<float>(slope[k]);
    }
    return all.value * share;
  }

 private:
  double distance(Index i, Index j) const {
    if (i == j) return 0;
    if (kind_ == LossDistance::cosine)
      return 1 - static_cast<double>(kernels().dot(x_[i].data(), x_[j].data(), x_.cols));
    const auto squared = static_cast<double>(kernels().squared_distance(x_[i].data(), x_[j].data(), x_.cols));
    return kind_ == LossDistance::euclidean ? std::sqrt(squared) : squared;
  }

  /// Its loss; leaves its slopes by the differences of vectors in slopes_, and adds them to its own row.
  AnchorLoss from_anchor(Index first, Index number) {
    const Index anchor = first + number;
    std::vector<double> distances(n_);
    Seen seen{.distance = distances,
              .positives = {},
              .negatives = {},
              .slope = std::span(slopes_).subspan(number * n_, n_),
              .margin = margin_of(task_.options)};
    for (Index j = 0; j < n_; ++j) {
      distances[j] = distance(anchor, j);
      if (task_.target(j) != task_.target(anchor))
        seen.negatives.push_back(j);
      else if (j != anchor)
        seen.positives.push_back(j);
    }
    const LossKind kind = task_.options.kind;
    const auto away = [&](Index j) { return distances[j]; };
    if (kind == LossKind::batch_semi_hard || kind == LossKind::batch_all)
      std::ranges::stable_sort(seen.negatives, {}, away);
    else if (!seen.negatives.empty())
      std::iter_swap(seen.negatives.begin(), std::ranges::min_element(seen.negatives, {}, away));
    const AnchorLoss out = kind == LossKind::batch_semi_hard ? semi_hard(seen)
                           : kind == LossKind::batch_all     ? every(seen)
                                                         : hardest(seen, kind == LossKind::batch_hard_soft);
    for (Index j = 0; j < n_; ++j) {
      double& slope = seen.slope[j];
      if (slope == 0) continue;
      if (kind_ == LossDistance::euclidean) slope = distances[j] == 0 ? 0 : slope / distances[j];
      if (kind_ == LossDistance::squared_euclidean) slope *= 2;
      add(slope, anchor, j);
    }
    return out;
  }

  /// The slope of the distance of rows i and j, times this, to row i.
  void add(double slope, Index i, Index j) {
    if (slope == 0) return;
    const float *xi = x_[i].data(), *xj = x_[j].data();
    double* to = by_rows_.data() + i * x_.cols;
    if (kind_ == LossDistance::cosine)
      for (Index k = 0; k < x_.cols; ++k) to[k] -= slope * static_cast<double>(xj[k]);
    else
      for (Index k = 0; k < x_.cols; ++k)
        to[k] += slope * (static_cast<double>(xi[k]) - static_cast<double>(xj[k]));
  }

  const LossTask& task_;
  LossDistance kind_;
  Index n_;
  MatrixView given_, x_;
  Matrix units_;
  std::vector<double> lengths_, by_rows_, slopes_;
};

}  // namespace

double loss_of_batch_triplets(const LossTask& task) { return BatchTriplets(task).run(); }

}  // namespace shoal
