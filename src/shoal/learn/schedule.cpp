#include "shoal/learn/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace shoal {

double rate_factor(Schedule schedule, double warmup, Index step, Index n_steps) {
  const auto all = static_cast<double>(n_steps), at = static_cast<double>(step),
             rising = std::min(std::ceil(warmup * all), all - 1);  // a single step is a whole one
  if (at < rising) return at / rising;
  const double left = std::clamp((all - at) / std::max(1.0, all - rising), 0.0, 1.0);
  switch (schedule) {
    case Schedule::constant:
      return 1;
    case Schedule::linear:
      return left;
    case Schedule::cosine:
      return 0.5 * (1 + std::cos(std::numbers::pi * (1 - left)));
  }
  return 1;
}

}  // namespace shoal
