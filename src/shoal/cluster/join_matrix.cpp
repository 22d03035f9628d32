#include <algorithm>
#include <numeric>

#include "shoal/cluster/linkage_impl.h"
#include "shoal/core/chunks.h"

namespace shoal {
namespace {

/// Distances of all pairs of points, half of them kept.
template <class Number>
class PairDistances {
 public:
  PairDistances(Points& points, const Run& run) : n_(points.count()), of_(n_ * (n_ - 1) / 2) {
    const LivingClusters clusters(
        points, points.metric() == Metric::cosine ? Measure::mean_cosine : Measure::centroid);
    for_chunks(
        run, n_, kBlock,
        [&](Index, Index first, Index last) {
          std::vector<double> rows(kBlock * points.cols()), columns(kBlock * points.cols());
          read(points, first, last, rows);
          for (Index at = 0; at < last; at += kBlock) {
            read(points, at, std::min(at + kBlock, last), columns);
            fill(clusters, first, last, rows, at, columns);
          }
        },
        "distances");
  }

  Number& at(Index i, Index j) {
    if (j < i) std::swap(i, j);
    return of_[i * (2 * n_ - i - 1) / 2 + (j - i - 1)];
  }

 private:
  static constexpr Index kBlock = 32;  // two blocks of points in double stay in cache

  static void read(const Points& points, Index first, Index last, std::vector<double>& into) {
    for (Index i = first; i < last; ++i)
      points.read(i, std::span(into).subspan((i - first) * points.cols(), points.cols()));
  }

  /// Pairs of a point of first..last - 1 with a lower one from column `at` on.
  void fill(const LivingClusters& clusters, Index first, Index last, const std::vector<double>& rows,
            Index at, const std::vector<double>& columns) {
    using Name = LivingClusters::Name;
    const Index d = clusters.cols();
    for (Index i = first; i < last; ++i)
      for (Index j = at; j < std::min(at + kBlock, i); ++j)
        this->at(j, i) =
            static_cast<Number>(clusters.distance(rows.data() + (i - first) * d, static_cast<Name>(i),
                                                  columns.data() + (j - at) * d, static_cast<Name>(j)));
  }

  Index n_;
  std::vector<Number> of_;
};

/// The chain of nearest neighbours (Benzécri 1982; Müllner 2011): each the nearest of the one before, until
/// two are each other's nearest; those join. `distance(x, y, in_x, in_y)` is that of a cluster to the two
/// that join, never below the lesser.
template <class Number, class Distance>
std::vector<PointJoin> join_chain(Points& points, const Run& run, JoinProgress& progress,
                                  Distance&& distance) {
  constexpr Index kReported = 64;
  const Index n = points.count();
  if (n < 2) return {};
  PairDistances<Number> pairs(points, run);
  std::vector<double> size(n);
  for (const std::uint32_t point : points.of_rows()) ++size[point];
  std::vector<std::uint32_t> living(n), chain;
  std::iota(living.begin(), living.end(), 0u);
  std::vector<PointJoin> joins;
  joins.reserve(n);
  while (living.size() > 1) {
    if (chain.empty()) chain.push_back(living.front());
    const std::uint32_t top = chain.back();
    std::uint32_t nearest = living.front() == top ? living[1] : living.front();
    for (const std::uint32_t other : living)
      if (other != top && pairs.at(top, other) < pairs.at(top, nearest)) nearest = other;
    const auto seen = std::ranges::find(chain, nearest);
    if (chain.size() < 2 || seen != chain.end() - 2) {
      // One that is further down the chain is there by rounding alone: the chain goes on from it.
      chain.erase(seen, chain.end());
      chain.push_back(nearest);
      continue;
    }
    const auto [a, b] = std::minmax({top, nearest});
    joins.push_back({a, b, static_cast<double>(pairs.at(a, b))});
    chain.resize(chain.size() - 2);
    living.erase(std::ranges::lower_bound(living, b));
    for (const std::uint32_t other : living)
      if (other != a) pairs.at(a, other) = distance(pairs.at(a, other), pairs.at(b, other), size[a], size[b]);
    size[a] += size[b];
    if (joins.size() % kReported == 0) progress.joined(kReported);
  }
  progress.joined(joins.size() % kReported);
  return joins;
}

double pairs_of(Index points) {
  return points == 0 ? 0 : static_cast<double>(points) * static_cast<double>(points - 1) / 2;
}

}  // namespace

double complete_bytes(Index points) { return sizeof(float) * pairs_of(points); }
double average_bytes(Index points) { return sizeof(double) * pairs_of(points); }

std::vector<PointJoin> join_complete(Points& points, const Run& run, JoinProgress& progress) {
  return join_chain<float>(points, run, progress,
                           [](float x, float y, double, double) { return std::max(x, y); });
}

std::vector<PointJoin> join_average(Points& points, const Run& run, JoinProgress& progress) {
  return join_chain<double>(points, run, progress, [](double x, double y, double in_x, double in_y) {
    return std::clamp((in_x * x + in_y * y) / (in_x + in_y), std::min(x, y), std::max(x, y));
  });
}

}  // namespace shoal
