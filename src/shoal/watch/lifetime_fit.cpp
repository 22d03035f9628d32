#include "shoal/watch/lifetime_fit.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "shoal/core/error.h"
#include "shoal/explain/p_values.h"

namespace shoal {
namespace {

constexpr Index kLeastAges = 5;
constexpr Index kDraws = 400;
constexpr Index kScales = 32;  // of t that are tried
constexpr double kMostCorrelation = 0.8;
constexpr double kBeyond = 2;  // times what was seen
constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Line {
  double slope = 0, error = 0, correlation = 0, rss = 0;
};

/// Correlation of neighbouring residuals, plus 2 / n for how much a short series hides of it.
double correlation_of(const std::vector<double>& residuals) {
  double sum = 0, next = 0;
  for (Index i = 0; i < residuals.size(); ++i) {
    sum += residuals[i] * residuals[i];
    if (i > 0) next += residuals[i] * residuals[i - 1];
  }
  const double f = (sum > 0 ? next / sum : 0) + 2 / static_cast<double>(residuals.size());
  return std::clamp(f, 0.0, kMostCorrelation);
}

Line line_through_0(const std::vector<LossAtAge>& losses) {
  double xx = 0, xy = 0;
  for (const auto& [age, loss] : losses) xx += age * age, xy += age * loss;
  Line out{.slope = xy / xx};
  std::vector<double> residuals;
  for (const auto& [age, loss] : losses) {
    residuals.push_back(loss - out.slope * age);
    out.rss += residuals.back() * residuals.back();
  }
  out.correlation = correlation_of(residuals);
  const double variance = out.rss / static_cast<double>(losses.size() - 1) / xx;
  out.error = std::sqrt(variance * (1 + out.correlation) / (1 - out.correlation));
  return out;
}

/// A (1 - exp(-age / t)), the best of some t.
struct Levelling {
  double height = 0, scale = 1;
  double at(double age) const { return height * (1 - std::exp(-age / scale)); }
  double reaches(double loss) const {
    return height > loss ? -scale * std::log1p(-loss / height) : kInfinity;
  }
};

Levelling levelling(const std::vector<LossAtAge>& losses, const std::vector<double>& values) {
  Levelling best;
  double least = kInfinity;
  const double seen = losses.back().age;
  for (Index s = 0; s < kScales; ++s) {
    // From a third of the first age to far beyond all ages, where it is a line.
    const double low = std::log(losses.front().age / 3), high = std::log(100 * seen);
    const double scale =
        std::exp(low + (high - low) * static_cast<double>(s) / static_cast<double>(kScales - 1));
    double bb = 0, by = 0, yy = 0;
    for (Index i = 0; i < losses.size(); ++i) {
      const double b = 1 - std::exp(-losses[i].age / scale);
      bb += b * b, by += b * values[i], yy += values[i] * values[i];
    }
    const double rss = yy - by * by / bb;
    if (rss < least) least = rss, best = {by / bb, scale};
  }
  return best;
}

double quantile(std::vector<double> values, double q) {
  std::ranges::sort(values);
  const auto at = static_cast<Index>(std::llround(q * static_cast<double>(values.size() - 1)));
  return values[at];
}

}  // namespace

Lifetime fit_lifetime(const std::vector<LossAtAge>& losses, double loss, double confidence, Seed seed,
                      std::optional<double> at) {
  require(loss > 0, Fault::argument, "the loss must be above 0");
  require(confidence > 0 && confidence < 1, Fault::argument, "the confidence must lie between 0 and 1");
  for (Index i = 0; i < losses.size(); ++i)
    require(losses[i].age > (i == 0 ? 0 : losses[i - 1].age), Fault::argument,
            "ages must be above 0 and ascending; number " + std::to_string(i) + " is not");
  Lifetime out;
  if (losses.empty()) return out;
  out.seen = losses.back().age;
  out.at = at.value_or(out.seen);
  if (losses.size() < kLeastAges) return out;

  const Line line = line_through_0(losses);
  const double df = static_cast<double>(losses.size() - 1);
  const double t = t_quantile(0.5 + confidence / 2, df);
  out.slope = line.slope;
  out.slope_low = line.slope - t * line.error;
  out.slope_high = line.slope + t * line.error;
  const double two_sided = line.error > 0 ? t_p(line.slope / line.error, df) : (line.slope > 0 ? 0 : 1);
  out.slope_p = line.slope > 0 ? two_sided / 2 : 1 - two_sided / 2;
  const auto line_reaches = [&](double slope) { return slope > 0 ? loss / slope : kInfinity; };

  // The curve that levels off, and what it would have been with other residuals.
  std::vector<double> values;
  for (const auto& l : losses) values.push_back(l.loss);
  const Levelling curve = levelling(losses, values);
  std::vector<double> residuals;
  double rss = 0;
  for (Index i = 0; i < losses.size(); ++i) {
    residuals.push_back(values[i] - curve.at(losses[i].age));
    rss += residuals.back() * residuals.back();
  }
  const double variance = rss / std::max(1.0, df - 1);
  const double f = correlation_of(residuals);
  const double step = std::sqrt(variance * (1 - f * f));
  std::vector<double> times, losses_then;
  const Random random(seed);
  for (Index draw = 0; draw < kDraws; ++draw) {
    std::vector<double> drawn;
    double e = 0;
    for (Index i = 0; i < losses.size(); ++i) {
      const double z = random.normal(draw * losses.size() + i);
      e = i == 0 ? std::sqrt(variance) * z : f * e + step * z;
      drawn.push_back(curve.at(losses[i].age) + e);
    }
    const Levelling other = levelling(losses, drawn);
    times.push_back(other.reaches(loss));
    losses_then.push_back(other.at(out.at));
  }
  const double tail = (1 - confidence) / 2;

  out.loss_at = line.slope * out.at;
  out.loss_low = std::min(out.slope_low * out.at, quantile(losses_then, tail));
  out.loss_high = std::max(out.slope_high * out.at, quantile(losses_then, 1 - tail));
  const double low = std::min(line_reaches(out.slope_high), quantile(times, tail));
  const double high = std::max(line_reaches(out.slope_low), quantile(times, 1 - tail));
  // What fits better, the curve only if by more than its second parameter gives away.
  const bool levels = rss / std::max(1.0, df - 1) < line.rss / df;
  const double middle = levels ? curve.reaches(loss) : line_reaches(line.slope);
  if (std::isfinite(middle)) out.age = middle;
  out.low = low;
  if (high <= kBeyond * out.seen) out.high = high;
  if (low >= out.seen) {
    out.answer = LifetimeAnswer::not_within_seen;
  } else if (out.slope_low > 0) {
    out.answer = LifetimeAnswer::estimated;
  }
  return out;
}

}  // namespace shoal
