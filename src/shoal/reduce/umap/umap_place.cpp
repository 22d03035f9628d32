#include "shoal/reduce/umap/umap_place_impl.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <span>
#include <vector>

#include "shoal/core/chunks.h"
#include "shoal/kernels/kernels.h"
#include "shoal/reduce/umap/umap_force_impl.h"
#include "shoal/reduce/umap/umap_graph_impl.h"

namespace shoal {
namespace {

constexpr Index kGrain = 64;        // points a chunk
constexpr Index kHashGrain = 4096;  // rows a chunk

/// Who draws a new point, how strongly, and from how far.
struct Near {
  std::span<const std::uint32_t> id;
  std::span<const float> distance;
  std::vector<float> strength;
};

class Placing {
 public:
  Placing(MatrixView map, const Matrix& scales, const UmapDescentOptions& options)
      : map_(map),
        scales_(scales),
        options_(options),
        forces_(forces_of(options.curve)),
        random_(options.seed) {}

  Spot place(Near& near) const {
    weigh(near);
    Spot own = start(near);
    for (Index epoch = 0; epoch < options_.n_epochs; ++epoch) move(own, near, epoch);
    const Spot nearest = spot(near.id[0]);
    const float share = share_of_way(near);
    return {nearest.x + share * (own.x - nearest.x), nearest.y + share * (own.y - nearest.y)};
  }

 private:
  Spot spot(Index i) const { return {map_[i][0], map_[i][1]}; }

  // As fuzzy_graph would have it: the new point's opinion united with that of the old ones.
  void weigh(Near& near) const {
    const Index k = near.id.size();
    const auto [rho, sigma] = local_scale(near.distance, 0);
    std::vector<float> theirs(k);
    near.strength.resize(k);
    neighbour_strengths(near.distance, rho, sigma, near.strength);
    for (Index j = 0; j < k; ++j) {
      const auto scale = scales_[near.id[j]];
      const float width = std::max(scale[1], std::numeric_limits<float>::min());
      theirs[j] = -std::max(0.0f, near.distance[j] - scale[0]) / width;
    }
    kernels().exp(theirs.data(), theirs.data(), k);
    for (Index j = 0; j < k; ++j) near.strength[j] = unite(near.strength[j], theirs[j]);
  }

  Spot start(const Near& near) const {
    float x = 0, y = 0, total = 0;
    for (Index j = 0; j < near.id.size(); ++j) {
      const Spot there = spot(near.id[j]);
      x += near.strength[j] * there.x;
      y += near.strength[j] * there.y;
      total += near.strength[j];
    }
    return {x / total, y / total};  // the nearest has strength 1
  }

  void move(Spot& own, const Near& near, Index epoch) const {
    const float progress = static_cast<float>(epoch) / static_cast<float>(options_.n_epochs);
    const float rate = options_.learning_rate * (1 - progress);
    Draws draws(random_.bits(epoch));
    for (Index j = 0; j < near.id.size(); ++j) {
      const float step = rate * near.strength[j];
      const Spot pull = force(forces_.attraction, own, spot(near.id[j]));
      own = {own.x + step * pull.x, own.y + step * pull.y};
      Spot push;
      for (Index s = 0; s < options_.negative_sample_rate; ++s) {
        const Spot away = force(forces_.repulsion, own, spot(draws.below(map_.rows)));
        push = {push.x + away.x, push.y + away.y};
      }
      own = {own.x + step * push.x, own.y + step * push.y};
    }
  }

  float share_of_way(const Near& near) const {
    const float distance = near.distance[0], rho = scales_[near.id[0]][0];
    if (distance <= 0) return 0;
    return distance < rho ? distance / rho : 1;
  }

  MatrixView map_;
  const Matrix& scales_;
  const UmapDescentOptions& options_;
  Forces forces_;
  Random random_;
};

std::uint64_t mix(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

}  // namespace

Matrix place_points(const Neighbours& near, MatrixView map, const Matrix& scales,
                    const UmapDescentOptions& options, const Run& run) {
  const Placing placing(map, scales, options);
  const Index k = near.k;
  Matrix out(near.rows(), 2);
  for_chunks(
      run, near.rows(), kGrain,
      [&](Index, Index first, Index last) {
        Near of;
        for (Index i = first; i < last; ++i) {
          of.id = {near.id.data() + i * k, k};
          of.distance = {near.distance.data() + i * k, k};
          const Spot there = placing.place(of);
          out[i][0] = there.x, out[i][1] = there.y;
        }
      },
      "place");
  return out;
}

std::uint64_t rows_fingerprint(const Rows& x, const Run& run) {
  return fold_chunks(
      run, x.rows(), kHashGrain, mix(x.cols() + 1),
      [&](Index first, Index last) {
        Matrix scratch;
        const MatrixView block = x.block(first, last - first, scratch);
        std::uint64_t hash = 0;
        for (Index r = 0; r < block.rows; ++r)
          for (const float v : block[r])
            hash = (hash ^ std::bit_cast<std::uint32_t>(v)) * 0x9E3779B97F4A7C15u;
        return mix(hash);
      },
      [](std::uint64_t& total, std::uint64_t part) { total = mix(total ^ part) + 1; });
}

}  // namespace shoal
