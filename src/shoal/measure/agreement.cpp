#include "shoal/measure/agreement.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <string>

#include "shoal/core/error.h"

namespace shoal {
namespace {

constexpr double kEps = std::numeric_limits<double>::epsilon();

std::vector<Label> distinct(std::span<const Label> labels) {
  std::vector<Label> values(labels.begin(), labels.end());
  std::ranges::sort(values);
  values.erase(std::ranges::unique(values).begin(), values.end());
  return values;
}

std::uint64_t place(const std::vector<Label>& values, Label label) {
  return static_cast<std::uint64_t>(std::ranges::lower_bound(values, label) - values.begin());
}

/// Ordered pairs of different rows: together in both labellings, in the second or the first alone, in none.
struct Pairs {
  long double both, found_only, truth_only, none;
};

Pairs count_pairs(const Contingency& t) {
  const auto squares = [](const std::vector<Index>& sizes) {
    long double sum = 0;
    for (const Index s : sizes) sum += static_cast<long double>(s) * static_cast<long double>(s);
    return sum;
  };
  long double cells = 0;
  for (const auto& c : t.cells)
    cells += static_cast<long double>(c.count) * static_cast<long double>(c.count);
  const auto n = static_cast<long double>(t.rows);
  Pairs p{cells - n, squares(t.cluster_sizes) - cells, squares(t.class_sizes) - cells, 0};
  p.none = n * n - cells - p.found_only - p.truth_only;
  return p;
}

double rand(const Pairs& p) {
  const long double all = p.both + p.found_only + p.truth_only + p.none;
  return all == 0 ? 1.0 : static_cast<double>((p.both + p.none) / all);
}

double adjusted_rand(const Pairs& p) {
  if (p.found_only == 0 && p.truth_only == 0) return 1;
  const long double by_chance =
      (p.both + p.truth_only) * (p.truth_only + p.none) + (p.both + p.found_only) * (p.found_only + p.none);
  return static_cast<double>(2 * (p.both * p.none - p.truth_only * p.found_only) / by_chance);
}

double fowlkes_mallows(const Pairs& p) {
  if (p.both == 0) return 0;
  return static_cast<double>(std::sqrt(p.both / (p.both + p.found_only)) *
                             std::sqrt(p.both / (p.both + p.truth_only)));
}

double entropy(const std::vector<Index>& sizes, Index rows) {
  if (sizes.size() <= 1) return 0;
  const auto n = static_cast<double>(rows);
  double sum = 0;
  for (const Index s : sizes) {
    const auto size = static_cast<double>(s);
    sum -= size / n * (std::log(size) - std::log(n));
  }
  return sum;
}

double mutual_information(const Contingency& t) {
  if (t.classes.size() <= 1 || t.clusters.size() <= 1) return 0;
  const auto n = static_cast<double>(t.rows);
  double sum = 0;
  for (const auto& c : t.cells) {
    const auto count = static_cast<double>(c.count);
    const double chance =
        static_cast<double>(t.class_sizes[c.row]) * static_cast<double>(t.cluster_sizes[c.column]);
    const double part = count / n * (std::log(count) - std::log(chance) + std::log(n));
    if (std::abs(part) >= kEps) sum += part;  // less is rounding: independent labellings give 0
  }
  return std::max(sum, 0.0);
}

std::map<Index, Index> how_often(const std::vector<Index>& sizes) {
  std::map<Index, Index> count;
  for (const Index s : sizes) ++count[s];
  return count;
}

/// Sum over m of P(m) m/n log(n m / (a b)), with P(m) the chance that a random class of `a` and a random
/// cluster of `b` of n rows share m. P is walked from its largest value by ratios of neighbours, so that
/// nothing underflows and no logarithm of a factorial is taken but for the first.
long double expected_part(Index a, Index b, Index n, const std::vector<long double>& log_of) {
  const Index lowest = std::max<Index>(1, a + b > n ? a + b - n : 0), highest = std::min(a, b);
  const auto mode = static_cast<Index>(static_cast<unsigned __int128>(a + 1) * (b + 1) / (n + 2));
  const Index start = std::clamp(mode, lowest, highest);
  const auto ld = [](Index v) { return static_cast<long double>(v); };
  const auto log_factorial = [&](Index v) { return std::lgamma(ld(v) + 1); };
  const long double first =
      std::exp(log_factorial(a) + log_factorial(b) + log_factorial(n - a) + log_factorial(n - b) -
               log_factorial(n) - log_factorial(start) - log_factorial(a - start) - log_factorial(b - start) -
               log_factorial(n + start - a - b));
  const long double base = log_of[n] - log_of[a] - log_of[b], least = first * 1e-25L;
  const auto term = [&](Index m, long double p) { return p * ld(m) * (base + log_of[m]); };
  long double sum = 0, p = first;
  for (Index m = start; p > least; ++m) {
    sum += term(m, p);
    if (m == highest) break;
    p *= ld(a - m) * ld(b - m) / (ld(m + 1) * ld(n + m + 1 - a - b));
  }
  p = first;
  for (Index m = start; m > lowest && p > least; --m) {
    p *= ld(m) * ld(n + m - a - b) / (ld(a - m + 1) * ld(b - m + 1));
    sum += term(m - 1, p);
  }
  return sum / ld(n);
}

double expected_mutual_information(const Contingency& t) {
  std::vector<long double> log_of(t.rows + 1);
  for (Index i = 1; i <= t.rows; ++i) log_of[i] = std::log(static_cast<long double>(i));
  long double sum = 0;
  for (const auto& [a, classes] : how_often(t.class_sizes))
    for (const auto& [b, clusters] : how_often(t.cluster_sizes))
      sum += static_cast<long double>(classes) * static_cast<long double>(clusters) *
             expected_part(a, b, t.rows, log_of);
  return static_cast<double>(sum);
}

/// x, but at least the rounding error away from 0: so 0 / 0 of a perfect match becomes 1.
double away_from_zero(double x) { return x < 0 ? std::min(x, -kEps) : std::max(x, kEps); }

double adjusted_mutual_information(const Contingency& t, double mutual, double mean_entropy) {
  const double expected = expected_mutual_information(t);
  return away_from_zero(mutual - expected) / away_from_zero(mean_entropy - expected);
}

void add_information(const Contingency& t, Agreement& a) {
  const double h_classes = entropy(t.class_sizes, t.rows), h_clusters = entropy(t.cluster_sizes, t.rows);
  const double mutual = a.mutual_information = mutual_information(t);
  a.homogeneity = h_classes == 0 ? 1 : mutual / h_classes;
  a.completeness = h_clusters == 0 ? 1 : mutual / h_clusters;
  const double both = a.homogeneity + a.completeness;
  a.v_measure = both == 0 ? 0 : 2 * a.homogeneity * a.completeness / both;
  const bool one_class = t.classes.size() <= 1, one_cluster = t.clusters.size() <= 1;
  const double mean = (h_classes + h_clusters) / 2;
  if (one_class && one_cluster)
    a.normalized_mutual_information = a.adjusted_mutual_information = 1;
  else if (!one_class && !one_cluster) {  // else both stay 0
    a.normalized_mutual_information = mutual / mean;
    a.adjusted_mutual_information = adjusted_mutual_information(t, mutual, mean);
  }
}

}  // namespace

Contingency::Contingency(std::span<const Label> truth, std::span<const Label> found)
    : rows(truth.size()), classes(distinct(truth)), clusters(distinct(found)) {
  if (truth.size() != found.size())
    throw Error(Fault::argument, "one labelling has " + std::to_string(truth.size()) +
                                     " labels and the other " + std::to_string(found.size()) +
                                     "; both must label the same rows");
  class_sizes.resize(classes.size());
  cluster_sizes.resize(clusters.size());
  std::vector<std::uint64_t> pairs(rows);
  for (Index i = 0; i < rows; ++i) {
    const std::uint64_t row = place(classes, truth[i]), column = place(clusters, found[i]);
    ++class_sizes[row];
    ++cluster_sizes[column];
    pairs[i] = row << 32 | column;
  }
  std::ranges::sort(pairs);
  for (const std::uint64_t pair : pairs) {
    const auto row = static_cast<std::uint32_t>(pair >> 32), column = static_cast<std::uint32_t>(pair);
    if (cells.empty() || cells.back().row != row || cells.back().column != column)
      cells.push_back({row, column, 0});
    ++cells.back().count;
  }
}

Agreement agreement(const Contingency& table) {
  const Pairs pairs = count_pairs(table);
  Agreement a;
  a.rand = rand(pairs);
  a.adjusted_rand = adjusted_rand(pairs);
  a.fowlkes_mallows = fowlkes_mallows(pairs);
  add_information(table, a);
  return a;
}

double purity(const Contingency& table) {
  std::vector<Index> most(table.clusters.size());
  for (const Contingency::Cell& cell : table.cells)
    most[cell.column] = std::max(most[cell.column], cell.count);
  const Index all = std::accumulate(most.begin(), most.end(), Index{0});
  return table.rows == 0 ? 1 : static_cast<double>(all) / static_cast<double>(table.rows);
}

double adjusted_rand(const Contingency& table) { return adjusted_rand(count_pairs(table)); }

double v_measure(std::span<const double> table, Index classes, Index clusters) {
  std::vector<double> of_class(classes), of_cluster(clusters);
  double n = 0;
  for (Index i = 0; i < classes; ++i)
    for (Index j = 0; j < clusters; ++j) {
      of_class[i] += table[i * clusters + j];
      of_cluster[j] += table[i * clusters + j];
      n += table[i * clusters + j];
    }
  const auto entropy = [&](const std::vector<double>& sizes) {
    double h = 0;
    for (const double s : sizes)
      if (s > 0) h -= s / n * std::log(s / n);
    return h;
  };
  double mutual = 0;
  for (Index i = 0; i < classes; ++i)
    for (Index j = 0; j < clusters; ++j)
      if (const double c = table[i * clusters + j]; c > 0)
        mutual += c / n * std::log(c * n / (of_class[i] * of_cluster[j]));
  const double both = entropy(of_class) + entropy(of_cluster);
  return both > 0 ? 2 * mutual / both : 1;
}

}  // namespace shoal
