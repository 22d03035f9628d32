#include "shoal/reduce/tsne/tsne_layout_impl.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "shoal/core/chunks.h"
#include "shoal/kernels/kernels.h"
#include "shoal/reduce/tsne/four_impl.h"
#include "shoal/reduce/tsne/tsne_grid_impl.h"
#include "shoal/reduce/tsne/tsne_pairs_impl.h"

namespace shoal {
namespace {

constexpr Index kGrain = 512;       // points a chunk
constexpr Index kMostPairs = 1500;  // points up to which repulsion goes pair by pair
constexpr float kLongestStep = 5, kLeastGain = 0.01f, kShake = 1e-6f;

// The affinities with rows filled up to whole fours by edges without weight from a point to itself.
struct Springs {
  std::vector<Index> first;
  std::vector<std::uint32_t> id;
  std::vector<float> weight;
};

Springs springs(const NeighbourGraph& graph) {
  Springs out{{0}, {}, {}};
  const Index n = graph.points(), most = graph.id.size() + 3 * n;
  out.first.reserve(n + 1);
  out.id.reserve(most);
  out.weight.reserve(most);
  for (Index i = 0; i < n; ++i) {
    for (Index e = graph.first[i]; e < graph.first[i + 1]; ++e) {
      out.id.push_back(graph.id[e]);
      out.weight.push_back(graph.weight[e]);
    }
    while (out.id.size() % 4 != 0) {
      out.id.push_back(static_cast<std::uint32_t>(i));
      out.weight.push_back(0);
    }
    out.first.push_back(out.id.size());
  }
  return out;
}

// One coordinate's momentum and gain.
struct Motion {
  float step = 0, gain = 1;

  void turn(float slope, const TsnePhase& phase) {
    const int before = (step > 0) - (step < 0), now = (slope > 0) - (slope < 0);
    gain = before == now ? gain * 0.8f + kLeastGain : gain + 0.2f;  // a step goes against the slope
    step = phase.momentum * step - phase.learning_rate * gain * slope;
  }
};

class TsneLayout {
 public:
  TsneLayout(const NeighbourGraph& affinities, MatrixView start)
      : springs_(springs(affinities)),
        now_(start.rows),
        next_(start.rows),
        push_(start.rows),
        motion_(2 * start.rows) {
    for (Index i = 0; i < now_.size(); ++i) now_[i] = {start[i][0], start[i][1]};
  }

  void shake(Seed seed) {
    const Random random(seed);
    const auto draw = [&](Index i) { return kShake * static_cast<float>(2 * random.uniform(i) - 1); };
    for (Index i = 0; i < now_.size(); ++i) now_[i] = {now_[i].x + draw(2 * i), now_[i].y + draw(2 * i + 1)};
  }

  void iterate(const TsnePhase& phase, const Run& run) {
    const auto share = static_cast<float>(1 / repel(run));
    for_chunks(run, now_.size(), kGrain, [&](Index, Index first, Index last) {
      for (Index i = first; i < last; ++i) {
        const MapPoint pull = attraction(i);
        next_[i] = move(i,
                        {phase.exaggeration * pull.x - share * push_[i].x,
                         phase.exaggeration * pull.y - share * push_[i].y},
                        phase);
      }
    });
    std::swap(now_, next_);
  }

  // Sum of p log(p / (q / Z)).
  float divergence(const Run& run) {
    const double sum_q = repel(run);
    struct Sums {
      double terms = 0, p = 0;
    };
    const Sums sums = fold_chunks(
        run, now_.size(), kGrain, Sums{},
        [&](Index first, Index last) {
          Sums s;
          std::vector<float> ratio;
          for (Index i = first; i < last; ++i) {
            ratio.clear();
            for (Index e = springs_.first[i]; e < springs_.first[i + 1]; ++e) {
              const MapPoint other = now_[springs_.id[e]];
              const float dx = now_[i].x - other.x, dy = now_[i].y - other.y, p = springs_.weight[e];
              ratio.push_back(p > 0 ? p * (1 + dx * dx + dy * dy) : 1);
            }
            kernels().log(ratio.data(), ratio.data(), ratio.size());
            for (Index e = springs_.first[i]; e < springs_.first[i + 1]; ++e) {
              s.terms += static_cast<double>(springs_.weight[e]) * ratio[e - springs_.first[i]];
              s.p += springs_.weight[e];
            }
          }
          return s;
        },
        [](Sums& total, Sums part) { total.terms += part.terms, total.p += part.p; });
    auto log_q = static_cast<float>(sum_q);
    kernels().log(&log_q, &log_q, 1);
    return static_cast<float>(sums.terms + sums.p * log_q);
  }

  // With their mean at (0, 0).
  void write(MatrixSpan positions) const {
    double x = 0, y = 0;
    for (const MapPoint p : now_) x += p.x, y += p.y;
    const auto n = static_cast<double>(now_.size());
    for (Index i = 0; i < now_.size(); ++i) {
      positions[i][0] = static_cast<float>(now_[i].x - x / n);
      positions[i][1] = static_cast<float>(now_[i].y - y / n);
    }
  }

 private:
  double repel(const Run& run) {
    return now_.size() <= kMostPairs ? repel_pairs(now_, push_, run) : grid_(now_, push_, run);
  }

  MapPoint attraction(Index i) const {
    const MapPoint own = now_[i];
    Four x{}, y{};
    for (Index e = springs_.first[i]; e < springs_.first[i + 1]; e += 4) {
      const std::uint32_t* id = springs_.id.data() + e;
      const MapPoint a = now_[id[0]], b = now_[id[1]], c = now_[id[2]], d = now_[id[3]];
      const Four dx = own.x - Four{a.x, b.x, c.x, d.x}, dy = own.y - Four{a.y, b.y, c.y, d.y};
      const Four pull = load_four(springs_.weight.data() + e) / (1.0f + dx * dx + dy * dy);
      x += pull * dx;
      y += pull * dy;
    }
    return {add_four(x), add_four(y)};
  }

  MapPoint move(Index i, MapPoint slope, const TsnePhase& phase) {
    Motion &x = motion_[2 * i], &y = motion_[2 * i + 1];
    x.turn(slope.x, phase);
    y.turn(slope.y, phase);
    const float length = std::sqrt(x.step * x.step + y.step * y.step);
    if (length > kLongestStep) {
      x.step *= kLongestStep / length;
      y.step *= kLongestStep / length;
    }
    return {now_[i].x + x.step, now_[i].y + y.step};
  }

  Springs springs_;
  std::vector<MapPoint> now_, next_, push_;
  std::vector<Motion> motion_;  // x and y of each point
  GridRepulsion grid_;
};

}  // namespace

float optimise_tsne(const NeighbourGraph& affinities, std::span<const TsnePhase> phases, Seed seed,
                    MatrixSpan positions, const Run& run) {
  TsneLayout layout(affinities, positions);
  Index done = 0, total = 0;
  for (const TsnePhase& phase : phases) total += phase.n_iter;
  for (const TsnePhase& phase : phases) {
    if (phase.n_iter > 0) layout.shake(seed.child(done));
    for (Index i = 0; i < phase.n_iter; ++i) {
      layout.iterate(phase, run);
      ++done;
      if (run.progress) run.progress("layout", static_cast<double>(done), static_cast<double>(total));
    }
  }
  layout.write(positions);
  return layout.divergence(run);
}

}  // namespace shoal
