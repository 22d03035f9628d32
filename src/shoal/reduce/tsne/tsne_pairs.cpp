#include "shoal/reduce/tsne/tsne_pairs_impl.h"

#include <vector>

#include "shoal/core/chunks.h"
#include "shoal/reduce/tsne/four_impl.h"

namespace shoal {
namespace {

constexpr Index kGrain = 64;    // points a chunk
constexpr float kAway = 1e15f;  // where a place that fills up four repels nobody

struct Places {
  std::vector<float> x, y;  // a multiple of four long
};

Places places(std::span<const MapPoint> y) {
  const Index padded = (y.size() + 3) / 4 * 4;
  Places p{std::vector<float>(padded, kAway), std::vector<float>(padded, kAway)};
  for (Index i = 0; i < y.size(); ++i) p.x[i] = y[i].x, p.y[i] = y[i].y;
  return p;
}

// Returns the sum of q over all places, the point itself included, whose q is 1.
float repel(MapPoint own, const Places& others, MapPoint& push) {
  Four x{}, y{}, sum{};
  for (Index j = 0; j < others.x.size(); j += 4) {
    const Four dx = own.x - load_four(&others.x[j]), dy = own.y - load_four(&others.y[j]);
    const Four q = 1.0f / (1.0f + dx * dx + dy * dy), square = q * q;
    sum += q;
    x += square * dx;
    y += square * dy;
  }
  push = {add_four(x), add_four(y)};
  return add_four(sum);
}

}  // namespace

double repel_pairs(std::span<const MapPoint> y, std::span<MapPoint> push, const Run& run) {
  const Places all = places(y);
  return fold_chunks(
      run, y.size(), kGrain, 0.0,
      [&](Index first, Index last) {
        double sum = 0;
        for (Index i = first; i < last; ++i) sum += repel(y[i], all, push[i]) - 1;
        return sum;
      },
      [](double& total, double part) { total += part; });
}

}  // namespace shoal
