#include "shoal/measure/bootstrap.h"

#include <cmath>
#include <numeric>

#include "shoal/core/chunks.h"

namespace shoal {

double Measurable::value() const {
  const Index all = std::accumulate(things.begin(), things.end(), Index{0});
  return of(std::vector<std::uint32_t>(all, 1));
}

Resampled resample(const Measurable& what, Index draws, Seed seed, const Run& run, std::string_view step) {
  Resampled out{what.value(), std::vector<double>(draws)};
  const Index all = std::accumulate(what.things.begin(), what.things.end(), Index{0});
  for_chunks(
      run, draws, 4,
      [&](Index, Index first, Index last) {
        std::vector<std::uint32_t> times(all);
        for (Index draw = first; draw < last; ++draw) {
          const Random random(seed.child(draw));
          times.assign(all, 0);
          Index from = 0;
          for (const Index n : what.things) {
            for (Index i = 0; i < n; ++i) ++times[from + random.below(from + i, n)];
            from += n;
          }
          out.drawn[draw] = what.of(times);
        }
      },
      step);
  return out;
}

Measured measured(const Resampled& what) {
  if (what.drawn.size() < 2) return {what.value, what.value, what.value};
  const auto n = static_cast<double>(what.drawn.size());
  const double mean = std::accumulate(what.drawn.begin(), what.drawn.end(), 0.0) / n;
  double squares = 0;
  for (const double x : what.drawn) squares += (x - mean) * (x - mean);
  const double reach = 1.96 * std::sqrt(squares / (n - 1));
  return {what.value, what.value - reach, what.value + reach};
}

Measured difference(const Resampled& a, const Resampled& b) {
  Resampled out{a.value - b.value, a.drawn};
  for (Index i = 0; i < out.drawn.size(); ++i) out.drawn[i] -= b.drawn[i];
  return measured(out);
}

}  // namespace shoal
