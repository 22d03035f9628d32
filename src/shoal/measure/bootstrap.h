#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "shoal/core/matrix.h"
#include "shoal/core/random.h"
#include "shoal/core/run.h"

namespace shoal {

/// A number with its 95% interval.
struct Measured {
  double value = 0, low = 0, high = 0;
};

/// How often each thing is drawn. All once: the things themselves.
using DrawCounts = std::span<const std::uint32_t>;

/// A number that is said of things (pairs, queries, rows), and can be said again of a draw of them.
struct Measurable {
  std::vector<Index> things;  ///< how many there are of each kind
  /// The number if thing i stands there times[i] times, kind after kind. From many threads at once.
  std::function<double(DrawCounts times)> of;

  double value() const;  ///< of all of them, once each
};

/// A number, and what it is on things drawn anew.
struct Resampled {
  double value = 0;
  std::vector<double> drawn;
};

/// Draws as many things of each kind as there are, with repetition, `draws` times (Efron 1979). The same seed
/// and the same numbers of things are the same draws, so that numbers of two models can be compared draw by
/// draw. The same bits for any number of threads. With a `step`, progress in draws.
Resampled resample(const Measurable& what, Index draws, Seed seed, const Run& run,
                   std::string_view step = {});

/// 1.96 standard deviations of the draws around the value: things that are drawn twice make some measures
/// larger, so that quantiles would lie beside the value. Without draws the interval is the value alone.
Measured measured(const Resampled& what);
/// a - b, draw by draw; both of the same draws.
Measured difference(const Resampled& a, const Resampled& b);

}  // namespace shoal
