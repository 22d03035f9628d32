#include <array>
#include <cmath>

#include "shoal/kernels/kernels.h"
#include "shoal/reduce/umap/umap_curve_impl.h"

namespace shoal {
namespace {

constexpr int kPoints = 299;   // of 300; the curve and its aim are both 1 at distance 0
constexpr int kRounds = 1000;  // 300 are needed at most, for a wide spread and a min_dist of as much

using Values = std::array<float, kPoints>;

struct Samples {
  Values distance, log_distance, aim;
};

// exp, log and pow come from the kernels: the standard library's may differ from machine to machine.
Samples sample(float min_dist, float spread) {
  Samples s;
  for (int i = 0; i < kPoints; ++i) {
    s.distance[i] = static_cast<float>(i + 1) * (3 * spread / kPoints);
    s.aim[i] = std::min(0.0f, -(s.distance[i] - min_dist) / spread);
  }
  kernels().exp(s.aim.data(), s.aim.data(), kPoints);
  kernels().log(s.distance.data(), s.log_distance.data(), kPoints);
  return s;
}

// Normal equations of Gauss and Newton at a curve: J'J (three numbers), J'r, and the sum of squares.
struct Normal {
  double aa = 0, ab = 0, bb = 0, a = 0, b = 0, squares = 0;
};

Normal normal_at(const Samples& s, Curve c) {
  Values power;
  kernels().pow(s.distance.data(), static_cast<float>(2 * c.b), power.data(), kPoints);
  Normal n;
  for (int i = 0; i < kPoints; ++i) {
    const double p = power[i], value = 1 / (1 + c.a * p), r = s.aim[i] - value;
    const double by_a = -p * value * value, by_b = 2 * c.a * s.log_distance[i] * by_a;
    n.aa += by_a * by_a;
    n.ab += by_a * by_b;
    n.bb += by_b * by_b;
    n.a += by_a * r;
    n.b += by_b * r;
    n.squares += r * r;
  }
  return n;
}

}  // namespace

// Levenberg and Marquardt's damping; the loop ends when no step improves any more.
Curve fit_curve(float min_dist, float spread) {
  const Samples samples = sample(min_dist, spread);
  Curve best;
  Normal n = normal_at(samples, best);
  double damping = 1e-3;
  for (int round = 0; round < kRounds && damping < 1e12; ++round) {
    const double aa = n.aa * (1 + damping), bb = n.bb * (1 + damping), det = aa * bb - n.ab * n.ab;
    const Curve next{best.a + (bb * n.a - n.ab * n.b) / det, best.b + (aa * n.b - n.ab * n.a) / det};
    if (next.a > 0 && next.b > 0) {
      const Normal there = normal_at(samples, next);
      if (there.squares < n.squares) {
        best = next;
        n = there;
        damping /= 10;
        continue;
      }
    }
    damping *= 10;
  }
  return best;
}

}  // namespace shoal
