// How often the interval of fit_lifetime holds the true age, on simulated losses: 20 ages, residuals of an
// autoregression. Prints a line for each kind of curve and noise.
//   lifetime_bench [TIMES]

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <limits>
#include <vector>

#include "shoal/core/random.h"
#include "shoal/watch/lifetime_fit.h"

int main(int count, char** arguments) {
  using namespace shoal;
  const Index times = count > 1 ? std::strtoull(arguments[1], nullptr, 10) : 500;
  constexpr double kLoss = 0.05;
  struct Kind {
    const char* name;
    std::function<double(double)> loss;
    double truth;
  };
  const double never = std::numeric_limits<double>::infinity();
  const std::vector<Kind> kinds = {
      {"none", [](double) { return 0.0; }, never},
      {"line, 5 points at 12.5", [](double age) { return 0.004 * age; }, 12.5},
      {"line, 5 points at 25", [](double age) { return 0.002 * age; }, 25},
      {"levels off at 8 points", [](double age) { return 0.08 * (1 - std::exp(-age / 6)); },
       -6 * std::log(1 - 5.0 / 8)},
      {"levels off at 4 points", [](double age) { return 0.04 * (1 - std::exp(-age / 6)); }, never},
      {"step of 10 points at 30", [](double age) { return age < 30 ? 0.0 : 0.1; }, 30}};
  for (const double f : {0.0, 0.3, 0.6})
    for (const double noise : {0.005, 0.01, 0.02})
      for (const Kind& kind : kinds) {
        Index held = 0, estimated = 0, none = 0, unknown = 0;
        for (Index t = 0; t < times; ++t) {
          const Random random(Seed{t}.child(1));
          std::vector<LossAtAge> losses;
          double e = 0;
          for (Index i = 1; i <= 20; ++i) {
            const double z = noise * random.normal(i);
            e = i == 1 ? z : f * e + std::sqrt(1 - f * f) * z;
            losses.push_back({static_cast<double>(i), kind.loss(static_cast<double>(i)) + e});
          }
          const Lifetime found = fit_lifetime(losses, kLoss, 0.9, Seed{t});
          held += found.low <= kind.truth && (!found.high || kind.truth <= *found.high);
          estimated += found.answer == LifetimeAnswer::estimated;
          none += found.answer == LifetimeAnswer::not_within_seen;
          unknown += found.answer == LifetimeAnswer::not_enough_evidence;
        }
        const auto n = static_cast<double>(times);
        std::printf(
            "%-24s noise %.3f, correlation %.1f: held %.2f; estimated %.2f, no such loss %.2f, not enough "
            "evidence %.2f\n",
            kind.name, noise, f, static_cast<double>(held) / n, static_cast<double>(estimated) / n,
            static_cast<double>(none) / n, static_cast<double>(unknown) / n);
      }
}
