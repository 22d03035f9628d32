#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <memory>
#include <new>
#include <numeric>
#include <tuple>

#include "shoal/cluster/linkage/linkage_impl.h"
#include "shoal/core/chunks.h"
#include "shoal/kernels/kernels.h"

namespace shoal {
namespace {

using Place = std::uint32_t;
constexpr Place kNone = std::numeric_limits<Place>::max();

double pairs_of(Index points) {
  return points == 0 ? 0 : static_cast<double>(points) * static_cast<double>(points - 1) / 2;
}

template <class Number>
constexpr Number kInfinity = std::numeric_limits<Number>::infinity();

/// In lanes, so that the compiler may use vectors.
template <class Number>
Number least_of(const Number* x, Index n) {
  constexpr Index kLanes = 16;
  std::array<Number, kLanes> lane;
  lane.fill(kInfinity<Number>);
  Index i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (Index l = 0; l < kLanes; ++l) lane[l] = x[i + l] < lane[l] ? x[i + l] : lane[l];
  for (Index l = 0; i < n; ++i, ++l) lane[l] = std::min(lane[l], x[i]);
  return *std::ranges::min_element(lane);
}

/// Room without initial values, in huge pages where the system gives them: going down a column of the matrix
/// meets another page with each number.
void* huge_pages(Index bytes) {
  constexpr Index kHuge = Index{1} << 21;
  const Index rounded = (bytes / kHuge + 1) * kHuge;
  void* const room = std::aligned_alloc(kHuge, rounded);
  if (room == nullptr) throw std::bad_alloc();
  madvise(room, rounded, MADV_HUGEPAGE);  // may be refused: then they are small
  return room;
}

/// Distances of all pairs of places, half of them kept: row after row, to those behind.
template <class Number>
class PairDistances {
 public:
  explicit PairDistances(Index places)
      : n_(places),
        of_(static_cast<Number*>(huge_pages(sizeof(Number) * static_cast<Index>(pairs_of(places))))) {}

  Index places() const { return n_; }
  /// Those of i to the places behind it: i + 1 and on.
  Number* behind(Index i) const { return of_.get() + i * (2 * n_ - i - 1) / 2; }
  Number& at(Index i, Index j) { return i < j ? behind(i)[j - i - 1] : behind(j)[i - j - 1]; }

  /// The nearest place behind i and its distance; the first of equals.
  std::pair<Place, Number> nearest_behind(Index i) const {
    constexpr Index kStretch = 256;
    const Number* const others = behind(i);
    const Index count = n_ - i - 1;
    Number least = kInfinity<Number>;
    Index found = count;  // the stretch with the least
    for (Index at = 0; at < count; at += kStretch) {
      const Number of_stretch = least_of(others + at, std::min(kStretch, count - at));
      if (of_stretch < least) least = of_stretch, found = at;
    }
    if (found == count) return {kNone, least};
    return {static_cast<Place>(std::find(others + found, others + count, least) - others + i + 1), least};
  }

  /// Keeps these places only, in this (ascending) order.
  void keep(const std::vector<Place>& kept) {
    Number* to = of_.get();  // never beyond what is still to be read
    for (Index i = 0; i < kept.size(); ++i) {
      const Number* const from = behind(kept[i]);
      for (Index j = i + 1; j < kept.size(); ++j) *to++ = from[kept[j] - kept[i] - 1];
    }
    n_ = kept.size();
  }

 private:
  struct Free {
    void operator()(Number* p) const { std::free(p); }
  };

  Index n_;
  std::unique_ptr<Number[], Free> of_;
};

constexpr Index kGrain = 64;  // rows a chunk
constexpr Index kSoon = 16;   // places ahead whose distances are fetched, where they lie far apart
constexpr Index kPanel = 16;  // of kernels().squared_distances

/// A block of points in double, as rows or in panels.
class PointBlock {
 public:
  PointBlock(const Points& points, Index most, bool panels)
      : points_(points), panels_(panels), one_(points.cols()), of_(most * points.cols()), zero_(most) {}

  void read(Index first, Index last) {
    const Index cols = one_.size();
    for (Index i = first; i < last; ++i) {
      const Index at = i - first;
      points_.read(i, one_);
      zero_[at] = std::ranges::all_of(one_, [](double v) { return v == 0; });
      double* to = of_.data() + (panels_ ? at / kPanel * kPanel * cols + at % kPanel : at * cols);
      for (const double v : one_) *to = v, to += panels_ ? kPanel : 1;
    }
  }
  const double* data() const { return of_.data(); }
  bool zero(Index at) const { return zero_[at] != 0; }

 private:
  const Points& points_;
  bool panels_;
  std::vector<double> one_, of_;
  std::vector<char> zero_;
};

/// In the points' frame, rounded to a multiple of 2^-40: what is equal but for the order of sums is then
/// equal.
double distance_of(double squared, bool some_zero, Metric metric) {
  constexpr double kGrid = 0x1p40;
  double d = std::sqrt(squared);
  if (metric == Metric::cosine) d = some_zero ? 1 : std::min(squared / 2, 2.0);  // rows of length 1
  return std::nearbyint(d * kGrid) / kGrid;
}

template <class Number>
PairDistances<Number> measure_pairs(const Points& points, const Run& run) {
  constexpr Index kRows = 32, kColumns = 128;  // blocks that stay in cache
  PairDistances<Number> pairs(points.count());
  for_chunks(
      run, points.count(), kColumns,
      [&](Index, Index first, Index last) {
        PointBlock columns(points, kColumns, true), rows(points, kRows, false);
        columns.read(first, last);
        std::vector<double> squared(kRows * kColumns);
        for (Index top = 0; top < last; top += kRows) {
          const Index end = std::min(top + kRows, last);
          rows.read(top, end);
          kernels().squared_distances(rows.data(), columns.data(), kRows, kColumns, points.cols(),
                                      squared.data());
          for (Index i = top; i < end; ++i)
            for (Index j = std::max(first, i + 1); j < last; ++j)
              pairs.at(i, j) = static_cast<Number>(distance_of(squared[(i - top) * kColumns + (j - first)],
                                                               rows.zero(i - top) || columns.zero(j - first),
                                                               points.metric()));
        }
      },
      "distances");
  return pairs;
}

/// The chain of nearest neighbours (Benzécri 1982; Müllner 2011): each the nearest of the one before, until
/// two are each other's nearest; those join. `distance(x, y, in_x, in_y)` is that of a cluster to the two
/// that join, never below the lesser; so who is found nearest stays it until it joins another itself.
/// When half the clusters are gone, the others' distances move together.
template <class Number, class Distance>
class Chain {
 public:
  Chain(const Points& points, const Run& run, Distance distance)
      : distance_(distance),
        pairs_(measure_pairs<Number>(points, run)),
        name_(points.count()),
        size_(points.count()),
        nearest_(points.count()),
        living_(points.count()) {
    for (const std::uint32_t point : points.of_rows()) ++size_[point];
    std::iota(name_.begin(), name_.end(), 0u);
    std::iota(living_.begin(), living_.end(), 0u);
    for_chunks(run, points.count(), kGrain, [&](Index, Index first, Index last) {
      for (Index i = first; i < last; ++i) nearest_[i].distance = pairs_.nearest_behind(i).second;
    });
  }

  bool done() const { return living_.size() < 2; }

  PointJoin next() {
    if (2 * living_.size() < pairs_.places()) move_together();
    if (chain_.empty()) chain_.push_back(living_.front());
    for (;;) {
      const Place top = chain_.back(), nearest = nearest_of(top);
      const auto seen = std::ranges::find(chain_, nearest);
      if (chain_.size() > 1 && seen == chain_.end() - 2) break;
      // One that is further down the chain is there by rounding alone: the chain goes on from it.
      chain_.erase(seen, chain_.end());
      chain_.push_back(nearest);
    }
    const auto [a, b] = std::minmax(chain_.back(), chain_[chain_.size() - 2]);
    chain_.resize(chain_.size() - 2);
    const PointJoin made{name_[a], name_[b], static_cast<double>(pairs_.at(a, b))};
    join(a, b);
    return made;
  }

 private:
  struct Nearest {
    Place place = kNone;  // none: not known now
    Number distance = 0;  // none behind is nearer, in any case
  };

  /// The lowest of equals. Those before x lie far apart in memory: most are ruled out by what is known of
  /// them.
  Place nearest_of(Place x) {
    Nearest& n = nearest_[x];
    if (n.place != kNone) return n.place;
    std::tie(n.place, n.distance) = pairs_.nearest_behind(x);
    for (Index at = 0; at < living_.size() && living_[at] < x; ++at) {
      const Place i = living_[at];
      if (const Place soon = living_[std::min(at + kSoon, living_.size() - 1)]; soon < x)
        __builtin_prefetch(&pairs_.at(soon, x));
      if (nearest_[i].distance > n.distance) continue;
      const Number d = pairs_.at(i, x);
      if (d < n.distance || (d == n.distance && i < n.place)) n = {i, d};
    }
    return n.place;
  }

  /// b goes into a < b; distances to b become infinite.
  void join(Place a, Place b) {
    living_.erase(std::ranges::lower_bound(living_, b));
    for (Index at = 0; at < living_.size(); ++at) {
      if (const Place soon = living_[std::min(at + kSoon, living_.size() - 1)]; soon < b) {
        __builtin_prefetch(&pairs_.at(soon, b), 1);
        if (soon < a) __builtin_prefetch(&pairs_.at(soon, a), 1);
      }
      const Place x = living_[at];
      if (x == a) continue;
      Number& to_b = pairs_.at(x, b);
      Number& to_a = pairs_.at(x, a);
      to_a = distance_(to_a, to_b, size_[a], size_[b]);
      to_b = kInfinity<Number>;
      Nearest& n = nearest_[x];
      if (n.place == a || n.place == b)
        n.place = kNone;
      else if (to_a == n.distance && a < n.place && n.place != kNone)
        n.place = a;
    }
    pairs_.at(a, b) = kInfinity<Number>;
    nearest_[a].place = kNone;  // its distance stays a bound: both were each other's nearest
    size_[a] += size_[b];
  }

  void move_together() {
    std::vector<Place> now(pairs_.places(), kNone);
    for (Place place = 0; place < living_.size(); ++place) now[living_[place]] = place;
    pairs_.keep(living_);
    for (Place place = 0; place < living_.size(); ++place) {
      const Place before = living_[place];
      name_[place] = name_[before];
      size_[place] = size_[before];
      nearest_[place] = nearest_[before];
      if (nearest_[place].place != kNone) nearest_[place].place = now[nearest_[place].place];
    }
    for (Place& place : chain_) place = now[place];
    std::iota(living_.begin(), living_.end(), 0u);
  }

  Distance distance_;
  PairDistances<Number> pairs_;
  std::vector<std::uint32_t> name_;  // of each place: the lowest point of its cluster
  std::vector<double> size_;         // rows
  std::vector<Nearest> nearest_;
  std::vector<Place> living_, chain_;
};

template <class Number, class Distance>
std::vector<PointJoin> join_chain(const Points& points, const Run& run, JoinProgress& progress,
                                  Distance distance) {
  constexpr Index kReported = 64;
  std::vector<PointJoin> joins;
  if (points.count() < 2) return joins;
  Chain<Number, Distance> chain(points, run, distance);
  joins.reserve(points.count());
  while (!chain.done()) {
    joins.push_back(chain.next());
    if (joins.size() % kReported == 0) progress.joined(kReported);
  }
  progress.joined(joins.size() % kReported);
  return joins;
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
