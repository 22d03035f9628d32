#pragma once

#include "shoal/core/run.h"

namespace shoal {

/// A place on a t-SNE map, or a force there.
struct MapPoint {
  float x = 0, y = 0;
};

/// `run` for a pass that takes one thread about so many microseconds: with one thread if that is not worth
/// making others, which takes 15 us on a quiet machine and several times that on a busy one.
inline Run run_for(double microseconds, const Run& run) {
  constexpr double kWorth = 200;
  return {.threads = microseconds < kWorth ? 1u : run.threads, .stop = run.stop, .progress = {}};
}

}  // namespace shoal
