#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "shoal/core/matrix.h"
#include "shoal/core/random.h"

namespace shoal {

/// A loss at an age, the mean of several.
struct LossAtAge {
  double age = 0;   ///< above 0
  double loss = 0;  ///< of quality; below 0: the old model was better
};

/// What may be said of when a loss is reached.
enum class LifetimeAnswer : std::uint8_t {
  estimated,           ///< a time with an interval
  not_within_seen,     ///< no such loss within what was seen
  not_enough_evidence  ///< losses could as well be none, or larger than asked for: the curve is too rough or
                       ///< short
};
constexpr auto names_of(LifetimeAnswer) {
  return std::array{"estimated", "no such loss within what was seen", "not enough evidence"};
}

struct Lifetime {
  LifetimeAnswer answer = LifetimeAnswer::not_enough_evidence;
  double seen = 0;  ///< the largest age
  /// Until the loss, by the line or the curve, whichever fits better; absent: never, as it goes.
  std::optional<double> age;
  double low = 0;                                   ///< of the interval
  std::optional<double> high;                       ///< absent: no bound (or beyond twice what was seen)
  double slope = 0, slope_low = 0, slope_high = 0;  ///< loss in one unit of age, with its interval
  double slope_p = 1;                               ///< of no slope above 0, one-sided
  /// What the loss is at an age, by the line, with the union of both models' intervals.
  double at = 0, loss_at = 0, loss_low = 0, loss_high = 0;
};

/// From losses at ages to the time until `loss` is reached. Two models, each with an interval of level
/// `confidence`, whose union is taken: a line through 0, whose slope has a t-interval with the variance times
/// (1 + f) / (1 - f), f the correlation of neighbouring residuals plus 2 / n, at most 0.8; and the curve
/// A (1 - exp(-age / t)), with residuals drawn anew as an autoregression of the same f, 400 times. Beyond
/// twice the ages seen there is no bound. A step that is still to come cannot be foreseen by either. Fewer
/// than 5 ages are never enough. `at`: the age of Lifetime::loss_at; absent: the largest seen. O(ages).
/// Error(argument) unless loss > 0, confidence in (0, 1) and ages are above 0 and ascending.
Lifetime fit_lifetime(const std::vector<LossAtAge>& losses, double loss, double confidence, Seed seed,
                      std::optional<double> at = {});

}  // namespace shoal
