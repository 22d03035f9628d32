#include "shoal/measure/classification.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "shoal/core/error.h"

namespace shoal {
namespace {

constexpr double kNormal = 1.959963984540054;  // of the 97.5% quantile

double ratio(double a, double b) { return b > 0 ? a / b : 0; }

/// F1 = 2 j / (1 + j) rises with the share j = found / (found + others): by Wilson's interval of j. others:
/// rows that have the label or of which it is said, not both.
Interval f1_interval(double found, double others) {
  const double n = found + others;
  if (n == 0) return {};
  const Interval j = wilson_interval(found, n);
  return {2 * j.low / (1 + j.low), 2 * j.high / (1 + j.high)};
}

}  // namespace

Interval wilson_interval(double hits, double trials) {
  if (trials <= 0) return {};
  const double p = hits / trials, z = kNormal, z2 = z * z;
  const double middle = (p + z2 / (2 * trials)) / (1 + z2 / trials);
  const double half = z / (1 + z2 / trials) * std::sqrt(p * (1 - p) / trials + z2 / (4 * trials * trials));
  // Without hits, or with nothing else, both ends meet 0 or 1 but for the last bits.
  return {hits <= 0 ? 0 : std::max(0.0, middle - half), hits >= trials ? 1 : std::min(1.0, middle + half)};
}

ClassificationScores classification_scores(const std::vector<std::vector<Label>>& truth,
                                           const std::vector<std::vector<Label>>& said, Index count) {
  require(truth.size() == said.size(), Fault::argument,
          "labels are said of " + std::to_string(said.size()) + " rows, of " + std::to_string(truth.size()));
  ClassificationScores out;
  out.rows = truth.size();
  out.labels.resize(count);
  Index right = 0;
  for (Index i = 0; i < truth.size(); ++i) {
    right += truth[i] == said[i];
    for (const Label label : truth[i]) ++out.labels[static_cast<Index>(label)].support;
    for (const Label label : said[i]) {
      LabelScores& scores = out.labels[static_cast<Index>(label)];
      ++scores.said;
      if (std::ranges::find(truth[i], label) != truth[i].end()) ++scores.found;
    }
  }
  out.accuracy = ratio(static_cast<double>(right), static_cast<double>(out.rows));
  out.accuracy_interval = wilson_interval(static_cast<double>(right), static_cast<double>(out.rows));
  double found = 0, said_all = 0, support = 0, seen = 0;
  for (LabelScores& s : out.labels) {
    const auto t = static_cast<double>(s.found), by = static_cast<double>(s.said),
               of = static_cast<double>(s.support);
    s.precision = ratio(t, by), s.recall = ratio(t, of), s.f1 = ratio(2 * t, by + of);
    s.precision_interval = wilson_interval(t, by);
    s.recall_interval = wilson_interval(t, of);
    s.f1_interval = f1_interval(t, by + of - 2 * t);
    found += t, said_all += by, support += of;
    if (by + of == 0) continue;
    seen += 1;
    out.macro_f1 += s.f1;
  }
  out.macro_f1 = ratio(out.macro_f1, seen);
  out.micro_f1 = ratio(2 * found, said_all + support);
  return out;
}

std::vector<std::vector<Index>> confusion_matrix(const std::vector<Label>& truth,
                                                 const std::vector<Label>& said, Index count) {
  std::vector<std::vector<Index>> out(count + 1, std::vector<Index>(count + 1));
  const auto place = [&](Label label) { return label == kNoise ? count : static_cast<Index>(label); };
  for (Index i = 0; i < truth.size(); ++i) ++out[place(truth[i])][place(said[i])];
  return out;
}

double area_under_roc(std::span<const double> positives, std::span<const double> negatives) {
  if (positives.empty() || negatives.empty()) return 0.5;
  std::vector<double> sorted(negatives.begin(), negatives.end());
  std::ranges::sort(sorted);
  double above = 0;
  for (const double v : positives) {
    const auto below = std::ranges::lower_bound(sorted, v) - sorted.begin();
    const auto no_more = std::ranges::upper_bound(sorted, v) - sorted.begin();
    above += static_cast<double>(below + no_more) / 2;
  }
  return above / (static_cast<double>(positives.size()) * static_cast<double>(negatives.size()));
}

double area_under_roc(std::span<const double> scores, const std::vector<bool>& positive) {
  std::vector<double> positives, negatives;
  for (Index i = 0; i < scores.size(); ++i) (positive[i] ? positives : negatives).push_back(scores[i]);
  return area_under_roc(positives, negatives);
}

}  // namespace shoal
