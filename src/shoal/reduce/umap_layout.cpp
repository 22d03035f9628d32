#include "shoal/reduce/umap_layout_impl.h"

#include <algorithm>
#include <span>

#include "shoal/core/chunks.h"
#include "shoal/kernels/kernels.h"
#include "shoal/reduce/umap_force_impl.h"

namespace shoal {
namespace {

constexpr Index kTurns = 4;     // an epoch's points move in so many turns: see umap_layout_impl.h
constexpr Index kGrain = 256;   // points a chunk
constexpr float kFurthest = 4;  // a force's largest component

struct Point {
  float x = 0, y = 0;
};

struct Forces {
  ForceTable attraction, repulsion;
};

// Gradients of the cross entropy by the squared distance x, as factors of the difference of two positions.
Forces forces(Curve curve) {
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

// The draws of one point in one epoch: SplitMix64 from a start that Random gives, so nobody else's draws
// matter.
class Draws {
 public:
  explicit Draws(std::uint64_t start) : state_(start) {}

  /// 0..n-1, n < 2^32.
  Index below(Index n) {
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return ((z >> 32) * n) >> 32;
  }

 private:
  std::uint64_t state_;
};

float clipped(float force) {
  force = force > -kFurthest ? force : -kFurthest;
  return force < kFurthest ? force : kFurthest;
}

class Layout {
 public:
  Layout(const NeighbourGraph& graph, const LayoutOptions& options, MatrixView start)
      : options_(options),
        forces_(forces(options.curve)),
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
  Point move(Index i, Index epoch, float rate) {
    Point own = now_[i];
    Draws draws(random_.bits(epoch * now_.size() + i));
    for (Edge& edge : edges_[i]) {
      if (edge.next > static_cast<float>(epoch)) continue;
      edge.next += edge.period;
      const Point pull = force(forces_.attraction, own, now_[edge.id]);
      own = {own.x + rate * pull.x, own.y + rate * pull.y};
      const Point push = repulsion(i, own, draws);
      own = {own.x + rate * push.x, own.y + rate * push.y};
    }
    return own;
  }

  // All from one position: faster than one after the other, and no worse (umap_layout_impl.h).
  Point repulsion(Index i, Point own, Draws& draws) const {
    Point sum;
    for (Index s = 0; s < options_.negative_sample_rate; ++s) {
      const Index other = draws.below(now_.size());
      if (other == i) continue;
      const Point push = force(forces_.repulsion, own, now_[other]);
      sum = {sum.x + push.x, sum.y + push.y};
    }
    return sum;
  }

  static Point force(const ForceTable& table, Point from, Point to) {
    const float dx = from.x - to.x, dy = from.y - to.y;
    const float factor = table(dx * dx + dy * dy);
    return {clipped(factor * dx), clipped(factor * dy)};
  }

  const LayoutOptions& options_;
  Forces forces_;
  Edges edges_;
  Random random_;
  std::vector<Point> now_, moved_;
};

}  // namespace

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
