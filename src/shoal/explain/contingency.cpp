#include "shoal/explain/contingency.h"

#include <algorithm>
#include <cmath>

#include "shoal/explain/p_values.h"

namespace shoal {
namespace {

constexpr double kNormal975 = 1.959963984540054;  // the normal distribution's 97.5% point
constexpr double kEquallyLikely = 1 + 1e-7;

double real(Index n) { return static_cast<double>(n); }

/// All tables with the margins of one, told apart by a; weights are chances relative to the likeliest.
struct Tables {
  double first, second, all;  // rows of the first fact, of the second, of all
  double least, most;         // values of a

  explicit Tables(const FourCounts& n)
      : first(real(n.a + n.b)),
        second(real(n.a + n.c)),
        all(first + real(n.c + n.d)),
        least(std::max(0.0, first + second - all)),
        most(std::min(first, second)) {}

  double mode() const { return std::clamp(std::floor((first + 1) * (second + 1) / (all + 2)), least, most); }
  /// weight(a + 1) / weight(a)
  double up(double a) const {
    return (first - a) * (second - a) / ((a + 1) * (all - first - second + a + 1));
  }
};

/// Calls visit(a, weight) from the likeliest table to both sides, as far as a weight is above 0.
template <class Visit>
void each_weight(const Tables& tables, Visit&& visit) {
  const double mode = tables.mode();
  double weight = 1;
  for (double a = mode; a <= tables.most && weight > 0; ++a) {
    visit(a, weight);
    weight *= tables.up(a);
  }
  weight = 1;
  for (double a = mode; a > tables.least && weight > 0; --a) {
    weight /= tables.up(a - 1);
    visit(a - 1, weight);
  }
}

}  // namespace

double fisher_exact_p(const FourCounts& n) {
  const Tables tables(n);
  double observed = 0, all = 0, unlikely = 0;
  each_weight(tables, [&](double a, double weight) {
    all += weight;
    if (a == real(n.a)) observed = weight;
  });
  each_weight(tables, [&](double, double weight) {
    if (weight <= observed * kEquallyLikely) unlikely += weight;
  });
  return std::min(1.0, unlikely / all);
}

OddsRatio odds_ratio(const FourCounts& n) {
  const double shift = std::min({n.a, n.b, n.c, n.d}) == 0 ? 0.5 : 0;
  const double a = real(n.a) + shift, b = real(n.b) + shift, c = real(n.c) + shift, d = real(n.d) + shift;
  const double log_ratio = std::log(a) + std::log(d) - std::log(b) - std::log(c);
  const double reach = kNormal975 * std::sqrt(1 / a + 1 / b + 1 / c + 1 / d);
  return {std::exp(log_ratio), std::exp(log_ratio - reach), std::exp(log_ratio + reach)};
}

double phi(const FourCounts& n) {
  const double a = real(n.a), b = real(n.b), c = real(n.c), d = real(n.d);
  return (a * d - b * c) / (std::sqrt((a + b) * (c + d)) * std::sqrt((a + c) * (b + d)));
}

ChiSquare chi_square_test(const std::vector<std::vector<Index>>& counts) {
  std::vector<double> rows, columns(counts.empty() ? 0 : counts[0].size());
  double all = 0;
  for (const auto& line : counts) {
    double sum = 0;
    for (Index j = 0; j < line.size(); ++j) {
      sum += real(line[j]);
      columns[j] += real(line[j]);
    }
    rows.push_back(sum);
    all += sum;
  }
  const auto not_empty = [](double n) { return n > 0; };
  const auto n_rows = std::ranges::count_if(rows, not_empty),
             n_columns = std::ranges::count_if(columns, not_empty);
  ChiSquare out;
  if (n_rows < 2 || n_columns < 2) return out;
  double sum = 0, below_5 = 0;
  out.smallest_expected = all;
  for (Index i = 0; i < rows.size(); ++i) {
    for (Index j = 0; j < columns.size(); ++j) {
      const double expected = rows[i] * columns[j] / all;
      if (expected == 0) continue;
      const double off = real(counts[i][j]) - expected;
      sum += off * off / expected;
      out.smallest_expected = std::min(out.smallest_expected, expected);
      below_5 += expected < 5;
    }
  }
  out.statistic = sum;
  out.df = static_cast<double>((n_rows - 1) * (n_columns - 1));
  out.p = chi_square_p(sum, out.df);
  out.cramers_v = std::sqrt(sum / (all * static_cast<double>(std::min(n_rows, n_columns) - 1)));
  out.share_expected_below_5 = below_5 / static_cast<double>(n_rows * n_columns);
  return out;
}

}  // namespace shoal
