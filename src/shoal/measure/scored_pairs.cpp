#include "shoal/measure/scored_pairs.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace shoal {
namespace {

/// Half-way to the next score, but never at it; in float, as scores are.
double between(double score, double next) {
  const auto middle = static_cast<double>((static_cast<float>(score) + static_cast<float>(next)) / 2);
  return middle == next ? score : middle;
}

double matthews(double tp, double fp, double fn, double tn) {
  const double all = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn);
  return all > 0 ? (tp * tn - fp * fn) / std::sqrt(all) : 0;
}

}  // namespace

ScoredPairs::ScoredPairs(std::span<const double> scores, std::span<const std::uint8_t> positive)
    : scores_(scores.begin(), scores.end()),
      positive_(positive.begin(), positive.end()),
      order_(scores.size()) {
  std::iota(order_.begin(), order_.end(), Index{0});
  std::ranges::stable_sort(order_, std::greater{}, [&](Index i) { return scores_[i]; });
}

PairScores ScoredPairs::all() const { return of(std::vector<std::uint32_t>(order_.size(), 1)); }

PairScores ScoredPairs::of(std::span<const std::uint32_t> times) const {
  PairScores out;
  double pairs = 0, positives = 0;
  for (Index i = 0; i < order_.size(); ++i) {
    pairs += times[i];
    if (positive_[i]) positives += times[i];
  }
  if (pairs == 0) return out;
  double taken = 0, right = 0, best_taken = 0, best_right = 0;
  const auto below = [&](Index at) {  // the next score that is there; none: that of `at` - 1
    while (at < order_.size() && times[order_[at]] == 0) ++at;
    return at;
  };
  bool started = false;
  for (Index at = below(0); at < order_.size();) {
    const double score = scores_[order_[at]];
    if (!started) {  // nothing is taken for a positive
      started = true;
      out.accuracy = (pairs - positives) / pairs;
      out.accuracy_threshold = static_cast<double>(
          std::nextafter(static_cast<float>(score), std::numeric_limits<float>::infinity()));
    }
    double more = 0;
    for (; at < order_.size() && scores_[order_[at]] == score; ++at) {
      const Index i = order_[at];
      taken += times[i];
      if (positive_[i]) more += times[i];
    }
    right += more;
    at = below(at);
    const double threshold = at < order_.size() ? between(score, scores_[order_[at]]) : score;
    const double accuracy = (right + (pairs - positives) - (taken - right)) / pairs;
    if (accuracy > out.accuracy) out.accuracy = accuracy, out.accuracy_threshold = threshold;
    if (right == 0) continue;
    const double precision = right / taken, recall = right / positives;
    out.ap += precision * (more / positives);
    const double f1 = 2 * precision * recall / (precision + recall);
    if (f1 > out.f1) {
      out.f1 = f1, out.f1_threshold = threshold, out.precision = precision, out.recall = recall;
      best_taken = taken, best_right = right;
    }
  }
  if (positives > 0)
    out.mcc = matthews(best_right, best_taken - best_right, positives - best_right,
                       pairs - positives - (best_taken - best_right));
  return out;
}

double average_precision(std::span<const double> scores, std::span<const std::uint8_t> positive) {
  return ScoredPairs(scores, positive).all().ap;
}

}  // namespace shoal
