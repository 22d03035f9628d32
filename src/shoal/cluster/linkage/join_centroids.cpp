#include <algorithm>
#include <limits>
#include <tuple>

#include "shoal/cluster/linkage/linkage_impl.h"
#include "shoal/core/chunks.h"
#include "shoal/near/exact.h"

namespace shoal {
namespace {

using Name = LivingClusters::Name;

constexpr Index kGrain = 4096;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// The nearest other cluster, or, when that has gone, a distance that no other is below.
struct Nearest {
  double distance = kInfinity;
  Name name = 0;
  bool known = false;
};

/// Müllner's generic algorithm (2011): the nearest pair of all joins, and every cluster keeps the nearest
/// other. A joined cluster may be nearer to others than its parts were, so it is compared with all. Who has
/// lost its nearest is searched for again only when the distance that it had is the least of all.
class Centroids {
 public:
  Centroids(Points& points, const Run& run)
      : points_(points), clusters_(points, Measure::centroid), run_(run), nearest_(points.count()) {
    first_nearest();
  }

  std::vector<PointJoin> join_all(JoinProgress& progress) {
    constexpr Index kReported = 64;
    std::vector<PointJoin> joins;
    while (clusters_.count() > 1) {
      const Name name = nearest_pair();
      if (!nearest_[name].known) {
        search(name);
        continue;
      }
      joins.push_back(join(name, nearest_[name].name));
      if (joins.size() % kReported == 0) progress.joined(kReported);
    }
    progress.joined(joins.size() % kReported);
    return joins;
  }

 private:
  void first_nearest() {
    constexpr Index kListed = 4;  // few are as near as the nearest, for all that float32 can tell
    const Index n = points_.count(), k = std::min(kListed, n - 1);
    const Neighbours found = nearest_neighbours(Rows(clusters_.floats()), k, Metric::euclidean, run_);
    for_chunks(run_, n, kGrain, [&](Index, Index first, Index last) {
      std::vector<double> mean(points_.cols()), other(points_.cols());
      for (Index i = first; i < last; ++i) {
        const auto name = static_cast<Name>(i);
        clusters_.read_mean(name, mean);
        for (Index j = i * k; j < (i + 1) * k; ++j)
          offer(nearest_[i], clusters_.distance(mean, name, found.id[j], other), found.id[j]);
        const double others = k == n - 1 ? kInfinity : clusters_.least_beyond(found.distance[i * k + k - 1]);
        if (nearest_[i].distance >= others) nearest_[i] = {others, nearest_[i].name, false};
      }
    });
  }

  /// A cluster of the least distance; one that must be searched for before others, then the lowest pair.
  Name nearest_pair() const {
    const auto key = [&](Name name) {
      const Nearest& n = nearest_[name];
      return std::tuple(n.distance, n.known, std::min(name, n.name), std::max(name, n.name));
    };
    Name best = clusters_.name_at(0);
    for (Index place = 1; place < clusters_.count(); ++place)
      if (const Name name = clusters_.name_at(place); key(name) < key(best)) best = name;
    return best;
  }

  PointJoin join(Name x, Name y) {
    const auto [into, other] = std::minmax({x, y});
    const PointJoin done{into, other, nearest_[x].distance};
    clusters_.join(into, other);
    for (Index place = 0; place < clusters_.count(); ++place) {
      Nearest& n = nearest_[clusters_.name_at(place)];
      if (n.name == into || n.name == other) n.known = false;
    }
    if (clusters_.count() > 1) compare(into, true);
    return done;
  }

  void search(Name name) { compare(name, false); }

  /// Finds the nearest of `name`; `both`: and lets all others know how near it is.
  void compare(Name name, bool both) {
    std::vector<double> mean(points_.cols());
    clusters_.read_mean(name, mean);
    const float* const floats = clusters_.floats()[clusters_.place_of(name)].data();
    nearest_[name] = fold_chunks(
        run_, clusters_.count(), kGrain, Nearest{},
        [&](Index first, Index last) {
          std::vector<double> other(points_.cols());
          Nearest best;
          for (Index place = first; place < last; ++place) {
            const Name to = clusters_.name_at(place);
            if (to == name) continue;
            const double least = clusters_.least_distance(floats, clusters_.floats()[place].data());
            if (least > best.distance && !(both && least <= nearest_[to].distance)) continue;
            const double distance = clusters_.distance(mean, name, to, other);
            offer(best, distance, to);
            if (both) offer(nearest_[to], distance, name);
          }
          return best;
        },
        [&](Nearest& best, const Nearest& part) {
          if (part.known) offer(best, part.distance, part.name);
        });
  }

  static void offer(Nearest& to, double distance, Name name) {
    if (distance < to.distance || (distance == to.distance && to.known && name < to.name))
      to = {distance, name, true};
  }

  Points& points_;
  LivingClusters clusters_;
  const Run& run_;
  std::vector<Nearest> nearest_;  // by name
};

}  // namespace

std::vector<PointJoin> join_centroids(Points& points, const Run& run, JoinProgress& progress) {
  return points.count() > 1 ? Centroids(points, run).join_all(progress) : std::vector<PointJoin>();
}

}  // namespace shoal
