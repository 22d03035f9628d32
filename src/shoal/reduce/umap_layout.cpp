#include "shoal/reduce/umap_layout_impl.h"

#include <algorithm>
#include <span>

#include "shoal/core/chunks.h"
#include "shoal/kernels/kernels.h"
#include "shoal/reduce/umap_force_impl.h"

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

// Edges too weak to be due even once are left out.
Edges schedule(const NeighbourGraph& graph, Index n_epochs) {
  float strongest = 0;
  for (float w : graph.weight) strongest = std::max(strongest, w);
  Edges edges{{0}, {}};
  edges.first.reserve(graph.first.size());
  edges.all.reserve(graph.id.size());
  for (Index i = 0; i < graph.points(); ++i) {
    for (Index e = graph.first[i]; e < graph.first[i + 1]; ++e) {
      const float period = strongest / graph.weight[e];
      if (period <= static_cast<float>(n_epochs)) edges.all.push_back({graph.id[e], period, period});
    }
    edges.first.push_back(edges.all.size());
  }
  return edges;
}

class Layout {
 public:
  Layout(const NeighbourGraph& graph, const LayoutOptions& options, MatrixView start)
      : options_(options),
        forces_(forces_of(options.curve)),
        edges_(schedule(graph, options.n_epochs)),
        random_(options.seed),
        now_(start.rows),
        moved_(start.rows) {
    for (Index i = 0; i < now_.size(); ++i) now_[i] = {start[i][0], start[i][1]};
  }

  void epoch(Index number, const Run& run) {
    const float progress = static_cast<float>(number) / static_cast<float>(options_.n_epochs);
    const float rate = options_.learning_rate * (1 - progress);
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
  // Where point i goes: towards the other end of each edge that is due, each time away from a few others.
  Spot move(Index i, Index epoch, float rate) {
    Spot own = now_[i];
    Draws draws(random_.bits(epoch * now_.size() + i));
    for (Edge& edge : edges_[i]) {
      if (edge.next > static_cast<float>(epoch)) continue;
      edge.next += edge.period;
      const Spot pull = force(forces_.attraction, own, now_[edge.id]);
      own = {own.x + rate * pull.x, own.y + rate * pull.y};
      const Spot push = repulsion(i, own, draws);
      own = {own.x + rate * push.x, own.y + rate * push.y};
    }
    return own;
  }

  // All from one position: faster than one after the other, and no worse (umap_layout_impl.h).
  Spot repulsion(Index i, Spot own, Draws& draws) const {
    Spot sum;
    for (Index s = 0; s < options_.negative_sample_rate; ++s) {
      const Index other = draws.below(now_.size());
      if (other == i) continue;
      const Spot push = force(forces_.repulsion, own, now_[other]);
      sum = {sum.x + push.x, sum.y + push.y};
    }
    return sum;
  }

  const LayoutOptions& options_;
  Forces forces_;
  Edges edges_;
  Random random_;
  std::vector<Spot> now_, moved_;
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

void optimise_layout(const NeighbourGraph& graph, const LayoutOptions& options, MatrixSpan positions,
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
