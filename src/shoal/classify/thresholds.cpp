#include "shoal/classify/thresholds.h"

#include <algorithm>
#include <numeric>

namespace shoal {
namespace {

constexpr int kSteps = 200;  // values of one threshold for all

double f1(double both, double said, double is) { return both == 0 ? 0 : 2 * both / (said + is); }

struct Counts {
  double both = 0, said = 0, is = 0;
};

F1 f1_of_counts(const std::vector<Counts>& counts) {
  F1 out;
  Counts all;
  for (const Counts& c : counts) {
    out.macro += f1(c.both, c.said, c.is) / static_cast<double>(counts.size());
    all.both += c.both, all.said += c.said, all.is += c.is;
  }
  out.micro = f1(all.both, all.said, all.is);
  return out;
}

/// Rows whose fold is not `left_out`.
std::vector<Index> rows_without(std::span<const std::uint32_t> fold, std::uint32_t left_out) {
  std::vector<Index> out;
  for (Index i = 0; i < fold.size(); ++i)
    if (fold[i] != left_out) out.push_back(i);
  return out;
}

/// The largest mean of macro and micro F1 over a grid: all labels at once.
std::vector<float> one_threshold(const Matrix& p, const Truth& truth, const std::vector<Index>& rows) {
  const Index labels = truth.labels;
  // Rows with a label, and all, by the step of their probability.
  std::vector<Index> true_at(labels * (kSteps + 1)), all_at(labels * (kSteps + 1));
  for (const Index i : rows)
    for (Index c = 0; c < labels; ++c) {
      const auto step = static_cast<Index>(std::clamp(p[i][c] * kSteps, 0.0f, float{kSteps}));
      ++all_at[c * (kSteps + 1) + step];
      true_at[c * (kSteps + 1) + step] += truth[i][c];
    }
  std::vector<Counts> counts(labels);
  for (Index c = 0; c < labels; ++c)
    for (Index s = 0; s <= kSteps; ++s) counts[c].is += static_cast<double>(true_at[c * (kSteps + 1) + s]);
  double best = -1;
  Index at = kSteps / 2;
  for (Index s = kSteps + 1; s-- > 1;) {
    for (Index c = 0; c < labels; ++c) {
      counts[c].both += static_cast<double>(true_at[c * (kSteps + 1) + s]);
      counts[c].said += static_cast<double>(all_at[c * (kSteps + 1) + s]);
    }
    const F1 now = f1_of_counts(counts);
    if (now.macro + now.micro > best) best = now.macro + now.micro, at = s;
  }
  return std::vector<float>(labels, static_cast<float>(at) / kSteps);
}

std::vector<float> own_thresholds(const Matrix& p, const Truth& truth, const std::vector<Index>& rows) {
  std::vector<float> out;
  std::vector<Index> order;
  for (Index c = 0; c < truth.labels; ++c) {
    order = rows;
    std::ranges::stable_sort(order, std::greater{}, [&](Index i) { return p[i][c]; });
    Counts counts;
    for (const Index i : rows) counts.is += truth[i][c];
    double best = 0;
    float threshold = 0.5f;
    for (Index k = 0; k < order.size(); ++k) {
      counts.said += 1, counts.both += truth[order[k]][c];
      const float here = p[order[k]][c];
      if (k + 1 < order.size() && p[order[k + 1]][c] == here) continue;  // taken in together
      const double now = f1(counts.both, counts.said, counts.is);
      if (now > best) best = now, threshold = here;
    }
    out.push_back(threshold);
  }
  return out;
}

std::vector<float> choose(ThresholdKind kind, const Matrix& p, const Truth& truth,
                          const std::vector<Index>& rows) {
  if (kind == ThresholdKind::half) return std::vector<float>(truth.labels, 0.5f);
  return kind == ThresholdKind::one ? one_threshold(p, truth, rows) : own_thresholds(p, truth, rows);
}

void count(const Matrix& p, const Truth& truth, Index row, std::span<const float> thresholds,
           std::vector<Counts>& counts) {
  for (Index c = 0; c < truth.labels; ++c) {
    const bool said = p[row][c] >= thresholds[c], is = truth[row][c];
    counts[c].said += said, counts[c].is += is, counts[c].both += said && is;
  }
}

/// Chosen on the other folds, judged on each.
F1 judged(ThresholdKind kind, const Matrix& p, const Truth& truth, std::span<const std::uint32_t> fold) {
  std::vector<Counts> counts(truth.labels);
  const std::uint32_t folds = fold.empty() ? 0 : *std::ranges::max_element(fold) + 1;
  for (std::uint32_t f = 0; f < folds; ++f) {
    const std::vector<float> thresholds = choose(kind, p, truth, rows_without(fold, f));
    for (Index i = 0; i < fold.size(); ++i)
      if (fold[i] == f) count(p, truth, i, thresholds, counts);
  }
  return f1_of_counts(counts);
}

}  // namespace

F1 f1_of(const Matrix& probabilities, const Truth& truth, std::span<const float> thresholds) {
  std::vector<Counts> counts(truth.labels);
  for (Index i = 0; i < truth.rows(); ++i) count(probabilities, truth, i, thresholds, counts);
  return f1_of_counts(counts);
}

std::vector<float> best_thresholds(ThresholdKind kind, const Matrix& probabilities, const Truth& truth) {
  std::vector<Index> rows(probabilities.rows());
  std::iota(rows.begin(), rows.end(), Index{0});
  return choose(kind, probabilities, truth, rows);
}

Thresholds choose_thresholds(ThresholdKind kind, const Matrix& probabilities, const Truth& truth,
                             std::span<const std::uint32_t> fold) {
  if (kind == ThresholdKind::best) {
    const F1 one = judged(ThresholdKind::one, probabilities, truth, fold);
    const F1 own = judged(ThresholdKind::per_label, probabilities, truth, fold);
    kind = one.macro + one.micro >= own.macro + own.micro ? ThresholdKind::one : ThresholdKind::per_label;
  }
  const F1 found = judged(kind, probabilities, truth, fold);
  return {kind, best_thresholds(kind, probabilities, truth), found.macro, found.micro};
}

}  // namespace shoal
