#pragma once

#include <optional>
#include <string>
#include <vector>

#include "shoal/core/labels.h"
#include "shoal/core/texts.h"
#include "shoal/explain/association.h"
#include "shoal/explain/times.h"

namespace shoal {

struct OverTimeOptions {
  std::optional<Period> every;  ///< absent: the shortest that gives at most 60 periods
};
template <class V>
void fields(OverTimeOptions& o, V&& visit) {
  visit("every", o.every, "period that rows are counted by. Default: the shortest that gives at most 60");
}

/// How many rows of each cluster fall into each period.
struct OverTime {
  Period every = Period::month;
  std::vector<std::string> periods;  ///< without gaps, ascending: 2024-05-06 10:00, 2024-05-06, 2024-05,
                                     ///< 2024-Q2, 2024; a week by its Monday
  std::vector<double> starts;        ///< of each period, in days since 1970-01-01
  std::vector<Index> totals;         ///< rows of each period that are in a cluster
  std::vector<std::vector<Index>> counts;  ///< counts[cluster][period]
  Index missing = 0;                       ///< rows without a time
  Index unclustered = 0;                   ///< with a time, but in no cluster
  /// The times, in days, of each cluster's rows against all others': a cluster whose rows are later than the
  /// others' grows. Empty tests if all rows have one time, or there are fewer than two clusters.
  Association trend;

  /// Share of the period's rows that are in the cluster; NaN for a period without rows.
  double share(Index cluster, Index period) const;
};

/// Times as people write them (ColumnSketch): dates, timestamps, times of day (whose periods are the 24
/// hours), years (1000 to 2999), and Unix times in seconds or milliseconds. Error(data) if the column holds
/// anything else, fewer than nine in ten of its values are times, or labels and times differ in number;
/// Error(argument) if `every` gives more than kMostPeriods, or is no hour for times of day, or shorter than a
/// year for years. O(rows + clusters x periods + clusters^2).
OverTime over_time(const Labels& labels, const Texts& times, const OverTimeOptions& options = {},
                   Correction correction = Correction::holm);

}  // namespace shoal
