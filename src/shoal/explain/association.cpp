#include "shoal/explain/association.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "shoal/core/error.h"
#include "shoal/explain/contingency.h"
#include "shoal/explain/means.h"

namespace shoal {
namespace {

double real(Index n) { return static_cast<double>(n); }

bool has_outcome(const Outcome& outcome, Index row) {
  return outcome.kind == OutcomeKind::numbers ? !std::isnan(outcome.numbers[row])
                                              : outcome.category.of[row] != kNoise;
}

void check(const Labels& labels, const Outcome& outcome) {
  if (labels.of.size() != outcome.rows())
    throw Error(Fault::data, "associate: " + std::to_string(labels.of.size()) + " labels for " +
                                 std::to_string(outcome.rows()) + " rows of the outcome");
  for (Index i = 0; i < labels.of.size(); ++i)
    if (labels.of[i] != kNoise && (labels.of[i] < 0 || static_cast<Index>(labels.of[i]) >= labels.count))
      throw Error(Fault::data, "associate: row " + std::to_string(i) + " has label " +
                                   std::to_string(labels.of[i]) + ", there are " +
                                   std::to_string(labels.count) + " clusters");
}

/// Cochran's rule of thumb for when the chi-square distribution can be trusted.
std::string remark_on(const ChiSquare& test) {
  if (!(test.smallest_expected < 1 || test.share_expected_below_5 > 0.2)) return "";
  char buffer[160];
  std::snprintf(buffer, sizeof buffer,
                "%.0f%% of the cells would have fewer than 5 rows if there were no association, the smallest "
                "%.2g: the chi-square p is rough",
                100 * test.share_expected_below_5, test.smallest_expected);
  return buffer;
}

void compare_categories(const Labels& labels, const Outcome& outcome, Association& out) {
  std::vector<std::vector<Index>> counts(labels.count, std::vector<Index>(outcome.categories.size()));
  std::vector<Index> of_category(outcome.categories.size()), of_cluster(labels.count);
  for (Index i = 0; i < labels.of.size(); ++i) {
    if (labels.of[i] == kNoise || outcome.category.of[i] == kNoise) continue;
    const auto cluster = static_cast<Index>(labels.of[i]),
               category = static_cast<Index>(outcome.category.of[i]);
    ++counts[cluster][category];
    ++of_category[category];
    ++of_cluster[cluster];
  }
  const ChiSquare test = chi_square_test(counts);
  out.overall = {.name = "chi-square",
                 .effect_name = "Cramer's V",
                 .statistic = test.statistic,
                 .df = test.df,
                 .p = test.p,
                 .effect = test.cramers_v,
                 .remark = std::isnan(test.p) ? "" : remark_on(test)};
  for (Index k = 0; k < labels.count; ++k) {
    if (of_cluster[k] == 0) continue;
    for (Index c = out.kind == OutcomeKind::two_values ? 1 : 0; c < of_category.size(); ++c) {
      const FourCounts n{.a = counts[k][c],
                         .b = of_cluster[k] - counts[k][c],
                         .c = of_category[c] - counts[k][c],
                         .d = out.rows - of_cluster[k] - of_category[c] + counts[k][c]};
      const bool both = of_cluster[k] < out.rows && of_category[c] > 0 && of_category[c] < out.rows;
      const OddsRatio odds = odds_ratio(n);
      out.tests.push_back({.cluster = static_cast<Label>(k),
                           .category = static_cast<Label>(c),
                           .rows = of_cluster[k],
                           .here = real(n.a) / real(n.a + n.b),
                           .elsewhere = real(n.c) / real(n.c + n.d),
                           .effect = both ? odds.ratio : NAN,
                           .low = both ? odds.low : NAN,
                           .high = both ? odds.high : NAN,
                           .r = phi(n),
                           .p = both ? fisher_exact_p(n) : NAN});
    }
  }
}

/// Of the numbers less `offset`. Means first, then squares about them: no digits are lost where numbers are
/// large and differ little.
std::vector<Moments> moments_of(const Labels& labels, const std::vector<double>& numbers, double offset) {
  std::vector<Moments> groups(labels.count);
  const auto each = [&](auto&& visit) {
    for (Index i = 0; i < numbers.size(); ++i)
      if (labels.of[i] != kNoise && !std::isnan(numbers[i]))
        visit(groups[static_cast<Index>(labels.of[i])], numbers[i] - offset);
  };
  each([](Moments& group, double x) {
    ++group.n;
    group.mean += x;
  });
  for (Moments& group : groups)
    if (group.n > 0) group.mean /= group.n;
  each([](Moments& group, double x) { group.squares += (x - group.mean) * (x - group.mean); });
  return groups;
}

/// What all numbers are multiplied by, so that their fourth powers are finite: 1 unless they are huge, else a
/// power of two, which changes no digits.
double scale_of(const std::vector<double>& numbers) {
  constexpr double kHuge = 1e60;
  double largest = 0;
  for (const double x : numbers)
    if (!std::isnan(x)) largest = std::max(largest, std::fabs(x));
  return largest > kHuge ? std::ldexp(1.0, -std::ilogb(largest) - 1) : 1;
}

void compare_numbers(const Labels& labels, const Outcome& outcome, Association& out) {
  const double scale = scale_of(outcome.numbers);
  std::vector<double> numbers = outcome.numbers;
  for (double& x : numbers) x *= scale;
  const auto first = std::ranges::find_if_not(numbers, [](double x) { return std::isnan(x); });
  const double offset = first == numbers.end() ? 0 : *first;  // means are taken relative to it
  const std::vector<Moments> groups = moments_of(labels, numbers, offset);
  const auto back = [scale](double x) { return std::isfinite(x / scale) ? x / scale : NAN; };
  const Anova anova = one_way_anova(groups);
  out.overall = {.name = "ANOVA",
                 .effect_name = "eta squared",
                 .statistic = anova.f,
                 .df = anova.df_between,
                 .df_within = anova.df_within,
                 .p = anova.p,
                 .effect = anova.eta_squared,
                 .remark = ""};
  for (Index k = 0; k < groups.size(); ++k) {
    if (groups[k].n == 0) continue;
    Moments rest;
    for (Index other = 0; other < groups.size(); ++other)
      if (other != k) rest.join(groups[other]);
    const MeanDifference d = compare_means(groups[k], rest);
    out.tests.push_back({.cluster = static_cast<Label>(k),
                         .rows = static_cast<Index>(groups[k].n),
                         .here = back(offset + groups[k].mean),
                         .elsewhere = rest.n > 0 ? back(offset + rest.mean) : NAN,
                         .effect = back(d.difference),
                         .low = back(d.low),
                         .high = back(d.high),
                         .t = d.t,
                         .df = d.df,
                         .cohens_d = d.cohens_d,
                         .hedges_g = d.hedges_g,
                         .r = d.r,
                         .p = d.p});
  }
}

}  // namespace

Association associate(const Labels& labels, const Outcome& outcome, Correction correction) {
  check(labels, outcome);
  Association out{.kind = outcome.kind, .categories = outcome.categories, .missing = outcome.missing};
  for (Index i = 0; i < labels.of.size(); ++i) {
    if (!has_outcome(outcome, i)) continue;
    labels.of[i] == kNoise ? ++out.unclustered : ++out.rows;
  }
  out.kind == OutcomeKind::numbers ? compare_numbers(labels, outcome, out)
                                   : compare_categories(labels, outcome, out);
  std::vector<double> p;
  for (const ClusterTest& test : out.tests) p.push_back(test.p);
  const std::vector<double> corrected = corrected_p_values(p, correction);
  for (Index i = 0; i < p.size(); ++i) out.tests[i].corrected_p = corrected[i];
  const auto strength = [](const ClusterTest& test) { return std::isnan(test.r) ? -1 : std::fabs(test.r); };
  std::ranges::stable_sort(out.tests, std::greater<>(), strength);
  return out;
}

}  // namespace shoal
