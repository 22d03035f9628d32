#include "shoal/reduce/umap/umap_layout_impl.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <span>

#include "shoal/core/chunks.h"
#include "shoal/kernels/kernels.h"
#include "shoal/reduce/umap/umap_force_impl.h"

namespace shoal {
namespace {

constexpr Index kTurns = 4;    // an epoch's points move in so many turns: see umap_layout_impl.h
constexpr Index kGrain = 256;  // points a chunk

// An edge is due every `period` epochs.
struct Edge {
  std::uint32_t id;
  float period, next;
};

struct Edges {
  std::vector<Index> first;
  std::vector<Edge> all;

  std::span<Edge> operator[](Index i) { return std::span(all).subspan(first[i], first[i + 1] - first[i]); }
};

float strongest_of(const NeighbourGraph& graph) {
  float strongest = 0;
  for (const float w : graph.weight) strongest = std::max(strongest, w);
  return strongest;
}

Edges schedule(const NeighbourGraph& graph) {
  const float strongest = strongest_of(graph);
  Edges edges{graph.first, {}};
  edges.all.reserve(graph.id.size());
  for (Index e = 0; e < graph.id.size(); ++e) {
    const float period = strongest / graph.weight[e];
    edges.all.push_back({graph.id[e], period, period});
  }
  return edges;
}

class Layout {
 public:
  Layout(const NeighbourGraph& graph, const UmapDescentOptions& options, MatrixView start)
      : options_(options),
        forces_(forces_of(options.curve)),
        edges_(schedule(graph)),
        random_(options.seed),
        now_(start.rows),
        moved_(start.rows) {
    for (Index i = 0; i < now_.size(); ++i) now_[i] = {start[i][0], start[i][1]};
    if (options.density.lambda > 0) density_.emplace(options.density, options.curve, graph);
  }

  void epoch(Index number, const Run& run) {
    const float progress = static_cast<float>(number) / static_cast<float>(options_.n_epochs);
    const float rate = options_.learning_rate * (1 - progress);
    dense_ = density_ && static_cast<float>(number + 1) / static_cast<float>(options_.n_epochs) >
                             1 - options_.density.frac;
    if (dense_) density_->update(now_, run);
    for (Index turn = 0; turn < kTurns && turn < now_.size(); ++turn) {
      const Index count = (now_.size() - turn + kTurns - 1) / kTurns;
      for_chunks(run, count, kGrain, [&](Index, Index first, Index last) {
        for (Index t = first; t < last; ++t) moved_[t] = move(turn + t * kTurns, number, rate);
      });
      for (Index t = 0; t < count; ++t) now_[turn + t * kTurns] = moved_[t];
    }
  }

  void write(MatrixSpan positions) const {
    for (Index i = 0; i < now_.size(); ++i) positions[i][0] = now_[i].x, positions[i][1] = now_[i].y;
  }

 private:
  struct Range {
    Index first, count;
  };

  // The points of i's map.
  Range map_of(Index i) const {
    if (options_.maps.empty()) return {0, now_.size()};
    const auto next = std::ranges::upper_bound(options_.maps, i);
    const Index first = *std::prev(next);
    return {first, (next == options_.maps.end() ? now_.size() : *next) - first};
  }

  // Where point i goes: towards the other end of each edge that is due, each time away from a few others.
  Spot move(Index i, Index epoch, float rate) {
    Spot own = now_[i];
    const Range map = map_of(i);
    Draws draws(random_.bits(epoch * now_.size() + i));
    Index due = 0;
    for (Edge& edge : edges_[i]) {
      if (edge.next > static_cast<float>(epoch)) continue;
      edge.next += edge.period;
      ++due;
      Spot pull = force(forces_.attraction, own, now_[edge.id]);
      if (dense_) {
        const Spot more = density_->pull(i, edge.id, own, now_[edge.id], edge.period, forces_.attraction);
        pull = {pull.x + more.x, pull.y + more.y};
      }
      own = {own.x + rate * pull.x, own.y + rate * pull.y};
      const Spot push = repulsion(i, own, map, draws);
      own = {own.x + rate * push.x, own.y + rate * push.y};
    }
    if (options_.ties.points() > 0) own = tied(i, own, rate * static_cast<float>(std::max<Index>(due, 1)));
    return own;
  }

  // All from one position: faster than one after the other, and no worse (umap_layout_impl.h).
  Spot repulsion(Index i, Spot own, Range map, Draws& draws) const {
    Spot sum;
    for (Index s = 0; s < options_.negative_sample_rate; ++s) {
      const Index other = map.first + draws.below(map.count);
      if (other == i) continue;
      const Spot push = force(forces_.repulsion, own, now_[other]);
      sum = {sum.x + push.x, sum.y + push.y};
    }
    return sum;
  }

  // An implicit step: however stiff the springs, it does not overshoot.
  Spot tied(Index i, Spot own, float step) const {
    const NeighbourGraph& ties = options_.ties;
    Spot sum;
    float stiffness = 0;
    for (Index e = ties.first[i]; e < ties.first[i + 1]; ++e) {
      const float weight = step * ties.weight[e];
      const Spot there = now_[ties.id[e]];
      sum = {sum.x + weight * there.x, sum.y + weight * there.y};
      stiffness += weight;
    }
    return {(own.x + sum.x) / (1 + stiffness), (own.y + sum.y) / (1 + stiffness)};
  }

  const UmapDescentOptions& options_;
  Forces forces_;
  Edges edges_;
  Random random_;
  std::vector<Spot> now_, moved_;
  std::optional<DensityForce> density_;
  bool dense_ = false;  // whether this epoch minds the densities
};

}  // namespace

Forces forces_of(Curve curve) {
  const auto a = static_cast<float>(curve.a), b = static_cast<float>(curve.b);
  return {ForceTable([&](const float* x, float* y, Index n) {
            kernels().pow(x, b, y, n);
            for (Index i = 0; i < n; ++i) y[i] = -2 * a * b * (y[i] / x[i]) / (1 + a * y[i]);
          }),
          ForceTable([&](const float* x, float* y, Index n) {
            kernels().pow(x, b, y, n);
            for (Index i = 0; i < n; ++i) y[i] = 2 * b / ((0.001f + x[i]) * (1 + a * y[i]));
          })};
}

NeighbourGraph without_idle_edges(const NeighbourGraph& graph, Index n_epochs) {
  const float strongest = strongest_of(graph);
  NeighbourGraph out;
  out.first.assign(1, 0);
  out.id.reserve(graph.id.size());
  out.weight.reserve(graph.id.size());
  for (Index i = 0; i < graph.points(); ++i) {
    for (Index e = graph.first[i]; e < graph.first[i + 1]; ++e) {
      if (!(strongest / graph.weight[e] <= static_cast<float>(n_epochs))) continue;
      out.id.push_back(graph.id[e]);
      out.weight.push_back(graph.weight[e]);
    }
    out.first.push_back(out.id.size());
  }
  return out;
}

void optimise_layout(const NeighbourGraph& graph, const UmapDescentOptions& options, MatrixSpan positions,
                     const Run& run) {
  Layout layout(graph, options, positions);
  for (Index epoch = 0; epoch < options.n_epochs; ++epoch) {
    layout.epoch(epoch, run);
    if (run.progress)
      run.progress("layout", static_cast<double>(epoch + 1), static_cast<double>(options.n_epochs));
  }
  layout.write(positions);
}

}  // namespace shoal
