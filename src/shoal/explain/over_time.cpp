#include "shoal/explain/over_time.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "shoal/core/error.h"

namespace shoal {

double OverTime::share(Index cluster, Index period) const {
  if (totals[period] == 0) return std::numeric_limits<double>::quiet_NaN();
  return static_cast<double>(counts[cluster][period]) / static_cast<double>(totals[period]);
}

OverTime over_time(const Labels& labels, const Texts& column, const OverTimeOptions& options,
                   Correction correction) {
  require(labels.of.size() == column.size(), Fault::data,
          "there are " + std::to_string(labels.of.size()) + " labels and " + std::to_string(column.size()) +
              " times");
  const Times times = read_times(column);
  OverTime out;
  out.every = choose_period(times, options.every);
  out.missing = times.missing;
  const std::int64_t first = period_number(times.low, out.every);
  const Index n = periods_between(times, out.every);
  require(n <= kMostPeriods, Fault::data,
          "its times span " + std::to_string(n) + " years; at most " + std::to_string(kMostPeriods) +
              " periods are counted");
  for (Index p = 0; p < n; ++p) {
    const std::int64_t number = first + static_cast<std::int64_t>(p);
    out.starts.push_back(period_start(number, out.every));
    out.periods.push_back(period_name(number, out.every, times.clock));
  }
  out.totals.resize(n);
  out.counts.assign(labels.count, std::vector<Index>(n));
  std::set<double> different;
  for (Index i = 0; i < labels.of.size(); ++i) {
    if (std::isnan(times.days[i])) continue;
    if (labels.of[i] == kNoise) {
      ++out.unclustered;
      continue;
    }
    const auto p = static_cast<Index>(period_number(times.days[i], out.every) - first);
    ++out.totals[p];
    ++out.counts[static_cast<Index>(labels.of[i])][p];
    if (different.size() < 2) different.insert(times.days[i]);
  }
  if (labels.count >= 2 && different.size() == 2) {
    Outcome outcome{.kind = OutcomeKind::numbers,
                    .categories = {},
                    .category = {},
                    .numbers = times.days,
                    .missing = times.missing};
    out.trend = associate(labels, outcome, correction);
  }
  return out;
}

}  // namespace shoal
