#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <mutex>

#include "shoal/cluster/linkage/linkage_impl.h"
#include "shoal/core/chunks.h"
#include "shoal/linear/product.h"
#include "shoal/near/best.h"
#include "shoal/near/exact.h"

namespace shoal {
namespace {

using Name = LivingClusters::Name;

constexpr Index kListed = 16;  // neighbours that a list holds
constexpr Index kBlock = 240;  // clusters searched for at once, and rows a chunk: as in near/exact.cpp
constexpr Index kGrain = 16;   // lists a chunk
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// A cluster that was near when it had this size.
struct Neighbour {
  double distance = 0;
  Name name = 0;
  std::uint32_t size = 0;
};

/// The nearest others of a living cluster, nearest first, ties by the lower name. Whoever is not listed is
/// not nearer than `bound`. This stays true while others join, because a cluster is never nearer than the
/// nearest of its parts; so a list is brought up to date with some distances in double, and only when all
/// that it holds is as far as the bound are all clusters looked through again.
struct List {
  std::array<Neighbour, kListed> near;
  std::uint32_t count = 0;
  bool known = false;  // near[0] is the nearest of all
  double bound = 0;
};

class Rounds {
 public:
  Rounds(Points& points, Measure measure, const Run& run, JoinProgress& progress)
      : points_(points),
        clusters_(points, measure),
        run_(run),
        progress_(progress),
        lists_(points.count()),
        height_(points.count()) {}

  std::vector<PointJoin> join_all() {
    joins_.reserve(points_.count());
    if (clusters_.count() > 1) first_lists();
    while (clusters_.count() > 1) {
      const std::vector<Pair> pairs = nearest_pairs();
      if (pairs.empty())
        search_some();
      else
        join(pairs);
    }
    return std::move(joins_);
  }

 private:
  /// Two clusters that are each other's nearest; `a` is the lower name.
  struct Pair {
    Name a, b;
    double in_a, in_b;  // rows
  };

  /// Room for the means of two clusters.
  struct Means {
    explicit Means(Index cols) : own(cols), other(cols) {}
    std::vector<double> own, other;
  };

  bool current(const Neighbour& n) const {
    return clusters_.alive(n.name) && clusters_.size(n.name) == n.size;
  }

  std::vector<Pair> nearest_pairs() const {
    std::vector<Pair> pairs;
    for (Index place = 0; place < clusters_.count(); ++place) {
      const Name a = clusters_.name_at(place);
      if (!lists_[a].known) continue;
      const Name b = lists_[a].near[0].name;
      if (a < b && lists_[b].known && lists_[b].near[0].name == a)
        pairs.push_back(
            {a, b, static_cast<double>(clusters_.size(a)), static_cast<double>(clusters_.size(b))});
    }
    return pairs;
  }

  void join(const std::vector<Pair>& pairs) {
    for (const auto& [a, b, in_a, in_b] : pairs) {
      // Never below its parts: rounding alone could make it so.
      height_[a] = std::max({lists_[a].near[0].distance, height_[a], height_[b]});
      joins_.push_back({a, b, height_[a]});
      clusters_.join(a, b);
    }
    progress_.joined(pairs.size());
    for_chunks(run_, pairs.size(), kGrain, [&](Index, Index first, Index last) {
      Means means(points_.cols());
      for (Index i = first; i < last; ++i) make_list(pairs[i], means);
    });
    std::vector<Name> lost;  // those whose nearest has joined another
    for (Index place = 0; place < clusters_.count(); ++place) {
      const Name name = clusters_.name_at(place);
      if (lists_[name].known && !current(lists_[name].near[0])) lost.push_back(name);
    }
    for_chunks(run_, lost.size(), kGrain, [&](Index, Index first, Index last) {
      Means means(points_.cols());
      for (Index i = first; i < last; ++i) {
        List& list = lists_[lost[i]];
        std::vector<Neighbour> all(list.near.begin(), list.near.begin() + list.count);
        update(lost[i], all, means, false);
        set_list(list, all, list.bound);
      }
    });
  }

  /// The list of a + b. Whoever is on neither list is, by Lance and Williams's rules for both measures, at
  /// least as far as the mean of the bounds (of their squares, for ward), weighted by the rows.
  void make_list(const Pair& p, Means& means) {
    List &list = lists_[p.a], &other = lists_[p.b];
    std::vector<Neighbour> all(list.near.begin(), list.near.begin() + list.count);
    all.insert(all.end(), other.near.begin(), other.near.begin() + other.count);
    const auto mean = [&](double x, double y) { return (p.in_a * x + p.in_b * y) / (p.in_a + p.in_b); };
    const double bound = clusters_.measure() == Measure::ward
                             ? std::sqrt(mean(list.bound * list.bound, other.bound * other.bound))
                             : mean(list.bound, other.bound);
    update(p.a, all, means, true);
    set_list(list, all, bound);
  }

  /// Puts into `all` the clusters that now hold those listed, with their distances.
  void update(Name name, std::vector<Neighbour>& all, Means& means, bool changed) const {
    for (Neighbour& n : all) {
      if (!changed && current(n)) continue;
      n.name = clusters_.now(n.name);
      n.size = 0;
    }
    std::ranges::sort(all, [](const Neighbour& x, const Neighbour& y) {
      return x.name != y.name ? x.name < y.name : x.size > y.size;  // one with a distance first
    });
    const auto same = [](const Neighbour& x, const Neighbour& y) { return x.name == y.name; };
    all.erase(std::unique(all.begin(), all.end(), same), all.end());
    std::erase_if(all, [&](const Neighbour& n) { return n.name == name; });
    measure(name, all, means);
  }

  /// The distances of those that have none.
  void measure(Name name, std::vector<Neighbour>& all, Means& means) const {
    clusters_.read_mean(name, means.own);
    for (Neighbour& n : all) {
      if (n.size != 0) continue;
      n.distance = clusters_.distance(means.own, name, n.name, means.other);
      n.size = clusters_.size(n.name);
    }
  }

  /// Keeps the nearest of `all`, which with the bound are all that there are.
  static void set_list(List& list, std::vector<Neighbour>& all, double bound) {
    const auto nearer = [](const Neighbour& x, const Neighbour& y) {
      return x.distance != y.distance ? x.distance < y.distance : x.name < y.name;
    };
    const auto listed = all.begin() + static_cast<std::ptrdiff_t>(std::min(kListed + 1, all.size()));
    std::ranges::partial_sort(all, listed, nearer);
    list.bound = bound;
    if (all.size() > kListed) {
      list.bound = std::min(bound, all[kListed].distance);
      all.resize(kListed);
    }
    list.count = static_cast<std::uint32_t>(all.size());
    std::ranges::copy(all, list.near.begin());
    list.known = list.count > 0 && list.near[0].distance < bound;
  }

  void first_lists() {
    const Index n = points_.count(), k = std::min(kListed, n - 1);
    const Neighbours found = nearest_neighbours(Rows(clusters_.floats()), k, points_.metric(), run_);
    for_chunks(run_, n, kGrain, [&](Index, Index first, Index last) {
      Means means(points_.cols());
      for (Index i = first; i < last; ++i) {
        std::vector<Neighbour> all(k);
        for (Index j = 0; j < k; ++j) all[j].name = found.id[i * k + j];
        measure(static_cast<Name>(i), all, means);
        set_list(lists_[i], all,
                 k == n - 1 ? kInfinity : clusters_.least_beyond(found.distance[i * k + k - 1]));
      }
    });
  }

  /// Finds the nearest of clusters that have lost them: of those that may be nearest to anything, by their
  /// bounds. The others wait: what they wait for joins meanwhile.
  void search_some() {
    std::vector<Name> lost;
    for (Index place = 0; place < clusters_.count(); ++place)
      if (const Name name = clusters_.name_at(place); !lists_[name].known) lost.push_back(name);
    if (lost.empty()) {  // rounding alone could make a ring of nearest neighbours: looked through at one time
      for (Index place = 0; place < clusters_.count(); ++place) lost.push_back(clusters_.name_at(place));
      return search(lost);
    }
    const auto sooner = [&](Name x, Name y) {
      return lists_[x].bound != lists_[y].bound ? lists_[x].bound < lists_[y].bound : x < y;
    };
    const Index some = std::min(lost.size(), std::max(kBlock, lost.size() / 4));
    std::ranges::nth_element(lost, lost.begin() + static_cast<std::ptrdiff_t>(some - 1), sooner);
    lost.resize(some);
    std::ranges::sort(lost);
    search(lost);
  }

  void search(const std::vector<Name>& names) {
    for (Index first = 0; first < names.size(); first += kBlock)
      search_block(std::span(names).subspan(first, std::min(kBlock, names.size() - first)));
  }

  void search_block(std::span<const Name> names) {
    std::vector<Index> places;
    Matrix queries(names.size(), points_.cols());
    for (const Name name : names) {
      std::ranges::copy(clusters_.floats()[clusters_.place_of(name)], queries[places.size()].begin());
      places.push_back(clusters_.place_of(name));
    }
    const Packed packed = Packed::rows(queries.view());
    BestLists best(names.size(), kListed);
    std::mutex lock;
    for_chunks(run_, clusters_.count(), kBlock, [&](Index, Index first, Index last) {
      Matrix scores(last - first, names.size());
      multiply(clusters_.floats().slice(first, last - first), packed, {}, Activation::none, scores.span());
      clusters_.products_to_scores(scores.span(), first, places);
      for (Index c = 0; c < places.size(); ++c)
        if (places[c] >= first && places[c] < last)
          scores[places[c] - first][c] = -std::numeric_limits<float>::infinity();
      const std::scoped_lock hold(lock);
      best.offer_columns(scores.view(), 0, first);
    });
    for_chunks(run_, names.size(), kGrain, [&](Index, Index first, Index last) {
      Means means(points_.cols());
      for (Index i = first; i < last; ++i) finish(names[i], best.sorted(i), means);
    });
  }

  void finish(Name name, std::span<const BestLists::Item> found, Means& means) {
    std::vector<Neighbour> all;
    const bool everybody = clusters_.count() - 1 <= kListed;
    for (const auto& item : found)
      if (item.score > -std::numeric_limits<float>::infinity())
        all.push_back({0, clusters_.name_at(item.id), 0});
    measure(name, all, means);
    set_list(lists_[name], all, everybody ? kInfinity : clusters_.least_distance(found.back().score));
    if (!lists_[name].known) compare_all(name, means);
  }

  /// Where float32 cannot tell who is nearest: all distances in double.
  void compare_all(Name name, Means& means) {
    std::vector<Neighbour> all;
    for (Index place = 0; place < clusters_.count(); ++place)
      if (clusters_.name_at(place) != name) all.push_back({0, clusters_.name_at(place), 0});
    measure(name, all, means);
    set_list(lists_[name], all, kInfinity);
    lists_[name].known = true;
  }

  Points& points_;
  LivingClusters clusters_;
  const Run& run_;
  JoinProgress& progress_;
  std::vector<List> lists_;     // by name
  std::vector<double> height_;  // of each living cluster's last join
  std::vector<PointJoin> joins_;
};

}  // namespace

std::vector<PointJoin> join_in_rounds(Points& points, Measure measure, const Run& run,
                                      JoinProgress& progress) {
  return Rounds(points, measure, run, progress).join_all();
}

}  // namespace shoal
