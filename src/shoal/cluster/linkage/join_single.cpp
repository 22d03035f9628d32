#include <algorithm>
#include <limits>
#include <numeric>
#include <tuple>

#include "shoal/cluster/linkage/linkage_impl.h"
#include "shoal/core/chunks.h"

namespace shoal {
namespace {

constexpr Index kGrain = 4096;

/// An edge between two points; edges are ordered by length, ties by the lower point, then the other.
struct Edge {
  double length = std::numeric_limits<double>::infinity();
  std::uint32_t low = 0, high = 0;

  auto operator<=>(const Edge&) const = default;
};

/// Prim's minimum spanning tree. The points that are not in the tree lie side by side in float32, and with
/// each the shortest edge to the tree: a new point in the tree is compared in double only where its float
/// distance does not rule it out.
class SpanningTree {
 public:
  SpanningTree(Points& points, const Run& run)
      : points_(points),
        distances_(points, points.metric() == Metric::cosine ? Measure::mean_cosine : Measure::centroid),
        run_(run),
        floats_(points.floats()),
        outside_(points.count()),
        shortest_(points.count()) {
    std::iota(outside_.begin(), outside_.end(), 0u);
  }

  std::vector<Edge> edges(JoinProgress& progress) {
    constexpr Index kReported = 256;
    std::vector<Edge> edges;
    Index next = 0;  // a place outside
    while (outside_.size() > 1) {
      const std::uint32_t point = outside_[next];
      const std::vector<float> floats(floats_[next].begin(), floats_[next].end());
      take_out(next);
      next = compare(point, floats);
      edges.push_back(shortest_[next]);
      if (edges.size() % kReported == 0) progress.joined(kReported);
    }
    progress.joined(edges.size() % kReported);
    return edges;
  }

 private:
  void take_out(Index place) {
    std::ranges::copy(floats_[outside_.size() - 1], floats_[place].begin());
    outside_[place] = outside_.back();
    shortest_[place] = shortest_[outside_.size() - 1];
    outside_.pop_back();
  }

  /// Offers edges to the point to all outside. Returns the place of the shortest edge of all.
  Index compare(std::uint32_t point, const std::vector<float>& floats) {
    return fold_chunks(
        run_, outside_.size(), kGrain, Index{0},
        [&](Index first, Index last) {
          std::vector<double> own, other;  // read when a float does not decide
          Index best = first;
          for (Index place = first; place < last; ++place) {
            offer(point, floats, place, own, other);
            if (shortest_[place] < shortest_[best]) best = place;
          }
          return best;
        },
        [&](Index& best, Index part) {
          if (shortest_[part] < shortest_[best]) best = part;
        });
  }

  void offer(std::uint32_t point, const std::vector<float>& floats, Index place, std::vector<double>& own,
             std::vector<double>& other) {
    if (distances_.least_distance(floats.data(), floats_[place].data()) > shortest_[place].length) return;
    if (own.empty()) {
      own.resize(points_.cols());
      other.resize(points_.cols());
      points_.read(point, own);
    }
    const std::uint32_t to = outside_[place];
    shortest_[place] = std::min(shortest_[place], {distances_.distance(own, point, to, other),
                                                   std::min(point, to), std::max(point, to)});
  }

  Points& points_;
  LivingClusters distances_;  // of single points: nothing joins
  const Run& run_;
  MatrixSpan floats_;
  std::vector<std::uint32_t> outside_;  // by place
  std::vector<Edge> shortest_;          // by place
};

}  // namespace

std::vector<PointJoin> join_single(Points& points, const Run& run, JoinProgress& progress) {
  std::vector<Edge> edges = SpanningTree(points, run).edges(progress);
  std::ranges::sort(edges);
  std::vector<std::uint32_t> lower(points.count());
  std::iota(lower.begin(), lower.end(), 0u);
  const auto lowest = [&](std::uint32_t p) {
    while (lower[p] != p) p = lower[p] = lower[lower[p]];
    return p;
  };
  std::vector<PointJoin> joins;
  joins.reserve(edges.size());
  for (const Edge& e : edges) {
    const auto [into, other] = std::minmax({lowest(e.low), lowest(e.high)});
    joins.push_back({into, other, e.length});
    lower[other] = into;
  }
  return joins;
}

}  // namespace shoal
