#include "shoal/cluster/selection/choose.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <limits>
#include <utility>

#include "shoal/cluster/selection/objections_impl.h"
#include "shoal/core/error.h"

namespace shoal {
namespace {

using enum Criterion;
constexpr std::array kCriteria{davies_bouldin, davies_bouldin_cosine, silhouette, calinski_harabasz, elbow,
                               stability};
constexpr double kClose = 0.02;  // a second best whose value differs by less is nearly as good
constexpr double kFlat = 0.05;   // a best value that differs by less from the median stands for little
constexpr double kBend = 0.1;    // of the elbow: less is no bend

/// a and b differ by less than this share of the larger.
bool within(double a, double b, double share) {
  return a == b || std::abs(a - b) < share * std::max(std::abs(a), std::abs(b));
}

bool computed(Criterion c, const std::vector<TriedK>& tried) {
  if (c == elbow) return tried.size() >= 3;
  return std::ranges::all_of(tried, [&](const TriedK& t) {
    return c == silhouette ? t.measures.silhouette.has_value() : c != stability || t.stability.has_value();
  });
}

std::vector<double> below_chord(const std::vector<TriedK>& tried) {
  const TriedK &first = tried.front(), &last = tried.back();
  const double fall = first.measures.inertia - last.measures.inertia;
  const auto width = static_cast<double>(last.n_clusters - first.n_clusters);
  std::vector<double> below;
  for (const TriedK& t : tried) {
    const double along = static_cast<double>(t.n_clusters - first.n_clusters) / width;
    below.push_back(fall > 0 ? 1 - along - (t.measures.inertia - last.measures.inertia) / fall : 0);
  }
  return below;
}

}  // namespace

double criterion_value(Criterion c, const TriedK& t) {
  const Separation& m = t.measures;
  switch (c) {
    case davies_bouldin:
      return m.davies_bouldin;
    case davies_bouldin_cosine:
      return m.davies_bouldin_cosine;
    case silhouette:
      return *m.silhouette;
    case calinski_harabasz:
      return m.inertia == 0 ? std::numeric_limits<double>::infinity() : m.calinski_harabasz;
    case stability:
      return t.stability->mean;
    case elbow:
      break;  // not of one number
  }
  return 0;
}

bool is_chosen_over(Criterion c, double value, double other) {
  if (c == stability) return value >= other;  // what never changes may be divided further
  return text_of(c).low_is_good ? value < other : value > other;
}

namespace {

/// The places of the numbers tried, best first.
std::vector<Index> ranking(Criterion c, const std::vector<double>& values) {
  std::vector<Index> order(values.size());
  for (Index i = 0; i < order.size(); ++i)
    order[i] = c == stability ? order.size() - 1 - i : i;  // the first of equals wins
  std::ranges::stable_sort(order, [&](Index a, Index b) {
    return text_of(c).low_is_good ? values[a] < values[b] : values[a] > values[b];
  });
  return order;
}

/// An infinite value is the best of Calinski-Harabasz, but the worst where low is good: of no clusters at
/// all.
bool can_be_chosen(Criterion c, double value) { return !text_of(c).low_is_good || std::isfinite(value); }

std::string reason(const ChosenK& k, Index n_tried) {
  const std::string tried = " (tried: " + std::to_string(n_tried) +
                            (n_tried == 1 ? " number)"
                                          : " numbers from " + std::to_string(k.tried_min) + " to " +
                                                std::to_string(k.tried_max) + ")");
  const std::string next =
      k.second ? "; next best: " + counted_clusters(*k.second) + " with " + three_digits(k.second_value)
               : std::string();
  if (k.criterion == elbow)
    return "At " + counted_clusters(k.n_clusters) + " the inertia lies furthest below the chord from " +
           std::to_string(k.tried_min) + " to " + counted_clusters(k.tried_max) + ": by " +
           three_digits(k.value) + " of its fall" + next + ".";
  const std::string measure = k.criterion == stability ? "stability (mean adjusted Rand index over resamples)"
                                                       : text_of(k.criterion).phrase;
  return counted_clusters(k.n_clusters) + " have the " +
         (text_of(k.criterion).low_is_good ? "lowest " : "highest ") + measure + ", " +
         three_digits(k.value) + tried + next + ".";
}

void against_the_range(ChosenK& k) {
  if (k.tried_min == k.tried_max)
    k.against.push_back(objections::only_one_tried());
  else if (k.n_clusters == k.tried_max || k.n_clusters == k.tried_min)
    k.against.push_back(objections::at_the_edge(k.n_clusters, k.n_clusters == k.tried_max));
}

void against_the_curve(ChosenK& k, std::vector<double> values) {
  if (k.second && within(k.value, k.second_value, kClose))
    k.against.push_back(objections::close_second(*k.second, k.second_value, k.value));
  if (values.size() < 3) return;
  std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2));
  const double median = values[values.size() / 2];
  if (k.criterion == elbow && k.value < kBend)
    k.against.push_back(objections::no_bend(k.value));
  else if (k.criterion != elbow && within(k.value, median, kFlat))
    k.against.push_back(objections::flat_curve(k.value, median));
}

void against_the_clusters(ChosenK& k, const TriedK& t) {
  if (t.measures.n_clusters != t.n_clusters)
    k.against.push_back(objections::fewer_found(t.n_clusters, t.measures.n_clusters));
  std::ranges::move(doubts(t.measures, t.stability), std::back_inserter(k.against));
}

void against_by_others(ChosenK& k) {
  std::vector<Pick> others;
  for (const Pick& p : k.picks)
    if (p.n_clusters != k.n_clusters) others.push_back(p);
  if (!others.empty()) k.against.push_back(objections::criteria_disagree(others));
}

}  // namespace

std::vector<Objection> doubts(const Separation& m, const std::optional<Stability>& stability) {
  std::vector<Objection> out;
  if (2 * m.largest > m.rows) out.push_back(objections::one_large_cluster(m.largest, m.rows));
  if (m.silhouette && *m.silhouette < kLowSilhouette)
    out.push_back(objections::low_silhouette(*m.silhouette));
  std::ranges::move(doubts(stability), std::back_inserter(out));
  return out;
}

void check_range(ClusterRange range, Index rows) {
  if (range.min < 2 || range.max < range.min || range.max > rows)
    throw Error(Fault::argument, "numbers of clusters from " + std::to_string(range.min) + " to " +
                                     std::to_string(range.max) + " for " + std::to_string(rows) +
                                     " rows; allowed: from 2, to at most the rows");
}

std::vector<Objection> doubts(const std::optional<Stability>& stability) {
  if (!stability || !(stability->mean < kUnstable)) return {};
  return {objections::unstable(*stability)};
}

std::vector<Objection> doubts_of_noise(Index noise, Index rows) {
  if (2 * noise <= rows) return {};
  return {objections::mostly_noise(noise, rows)};
}

ClusterRange default_cluster_range(Index rows) {
  if (rows < 3)
    throw Error(Fault::data, "there are " + std::to_string(rows) +
                                 " rows; to choose a number of clusters takes at least 3");
  const auto about = static_cast<Index>(2 * std::sqrt(static_cast<double>(rows)));
  return {2, std::min({rows - 1, about, Index{200}})};
}

std::vector<Separation> judge_dendrogram(const Rows& x, const Dendrogram& dendrogram, ClusterRange range,
                                         const JudgeOptions& options, const Run& run) {
  check_range(range, x.rows());
  if (dendrogram.rows != x.rows())
    throw Error(Fault::argument, "the dendrogram is of " + std::to_string(dendrogram.rows) +
                                     " rows, but there are " + std::to_string(x.rows()));
  const Labels most = dendrogram.cut(range.max);
  std::vector<std::uint32_t> row_of(x.rows());  // a row of every id: its label names the cluster
  for (Index i = 0; i < x.rows(); ++i) row_of[i] = static_cast<std::uint32_t>(i);
  std::vector<Join> joins;
  for (Index i = 0; i < x.rows() - range.min; ++i) {
    const Merge& m = dendrogram.merges[i];
    row_of.push_back(row_of[m.first]);
    if (i >= x.rows() - range.max) joins.push_back({most.of[row_of[m.first]], most.of[row_of[m.second]]});
  }
  std::vector<Separation> judged = judge_joins(x, most, joins, options, run);
  std::ranges::reverse(judged);
  return judged;
}

const CriterionText& text_of(Criterion c) {
  static constexpr CriterionText kTexts[] = {
      // in the order of the enum
      {"Davies-Bouldin", "Davies-Bouldin index", "how wide clusters are for the distance between them", true},
      {"Davies-Bouldin by cosine", "cosine Davies-Bouldin index",
       "how wide clusters are for the angle between them", true},
      {"Silhouette", "silhouette", "how much nearer rows are to their own cluster than to the next", false},
      {"Calinski-Harabasz", "Calinski-Harabasz index", "how far apart clusters lie for how wide they are",
       false},
      {"Elbow", "elbow",
       "how far the inertia lies below a straight line from the fewest to the most clusters", false},
      {"Stability", "stability",
       "how alike the clusters of random parts of the rows are (adjusted Rand index)", false}};
  static_assert(std::size(kTexts) == kCriteria.size());
  return kTexts[static_cast<Index>(c)];
}

std::vector<double> criterion_values(Criterion criterion, const std::vector<TriedK>& tried) {
  if (!computed(criterion, tried))
    throw Error(Fault::argument,
                criterion == elbow
                    ? "an elbow needs at least 3 numbers of clusters; tried: " + std::to_string(tried.size())
                    : std::string(name_of(criterion)) + " was not computed for every number of clusters");
  if (criterion == elbow) return below_chord(tried);
  std::vector<double> values;
  for (const TriedK& t : tried) values.push_back(criterion_value(criterion, t));
  return values;
}

ChosenK choose_k(Criterion criterion, const std::vector<TriedK>& tried) {
  if (tried.empty() ||
      std::ranges::adjacent_find(tried, std::greater_equal{}, &TriedK::n_clusters) != tried.end())
    throw Error(Fault::argument, "to choose takes at least one number of clusters, in ascending order");
  const std::vector<double> values = criterion_values(criterion, tried);
  const std::vector<Index> order = ranking(criterion, values);
  if (!can_be_chosen(criterion, values[order[0]]))
    throw Error(Fault::data, std::string("no number of clusters can be chosen by the ") +
                                 text_of(criterion).phrase +
                                 ": of each that was tried, two clusters have the same centre; " +
                                 option_name("criterion") + " silhouette does not look at centres");
  ChosenK k;
  k.n_clusters = tried[order[0]].n_clusters;
  k.criterion = criterion;
  k.value = values[order[0]];
  k.tried_min = tried.front().n_clusters;
  k.tried_max = tried.back().n_clusters;
  if (order.size() > 1 && can_be_chosen(criterion, values[order[1]])) {
    k.second = tried[order[1]].n_clusters;
    k.second_value = values[order[1]];
  }
  for (const Criterion c : kCriteria) {
    if (!computed(c, tried)) continue;
    const std::vector<double> its = criterion_values(c, tried);
    const Index best = ranking(c, its)[0];
    if (!can_be_chosen(c, its[best])) continue;
    k.picks.push_back({c, tried[best].n_clusters, its[best]});
  }
  k.why = reason(k, tried.size());
  against_the_range(k);
  against_the_curve(k, values);
  against_the_clusters(k, tried[order[0]]);
  against_by_others(k);
  return k;
}

}  // namespace shoal
