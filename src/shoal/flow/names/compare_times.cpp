#include "shoal/flow/names/compare_times.h"

#include <algorithm>

#include "shoal/core/error.h"
#include "shoal/flow/names/compare_outcome.h"
#include "shoal/flow/tables/csv_field.h"
#include "shoal/map/svg.h"

namespace shoal {

OverTime compare_times(const Collection& collection, const std::string& column,
                       const OverTimeOptions& options, Correction correction) {
  const Texts times = compared_column(collection, column);
  try {
    return over_time(collection.labels(), times, options, correction);
  } catch (const Error& e) {
    throw Error(e.fault, "column " + column + ": " + e.marked, e.hint);
  }
}

std::string over_time_csv(const OverTime& found, const std::vector<ClusterRecord>& clusters) {
  std::string out = "cluster,cluster_name,period,rows,share\n";
  for (Index c = 0; c < found.counts.size(); ++c)
    for (Index p = 0; p < found.periods.size(); ++p) {
      out += std::to_string(c) + ',';
      add_csv_field(out, clusters[c].name);
      out += ',' + found.periods[p] + ',' + std::to_string(found.counts[c][p]) + ',' +
             csv_number(found.share(c, p)) + '\n';
    }
  return out;
}

std::string over_time_svg(const OverTime& found, const std::vector<ClusterRecord>& clusters,
                          const std::string& column) {
  constexpr Index kCurves = 12;
  std::vector<double> x;
  const bool hours = found.every == Period::hour;
  for (const double start : found.starts)
    x.push_back(hours ? (start - found.starts.front()) * 24 : 1970 + start / 365.2425);
  std::vector<PlotCurve> curves;
  for (const ClusterTest& test : found.trend.tests) {
    if (curves.size() == kCurves) break;
    const auto c = static_cast<Index>(test.cluster);
    PlotCurve curve{.name = clusters[c].name, .x = x, .y = {}, .marked = {}};
    for (Index p = 0; p < x.size(); ++p) curve.y.push_back(found.share(c, p));
    curves.push_back(std::move(curve));
  }
  PlotText text{"Share of each " + std::string(name_of(found.every)) + "'s rows",
                hours ? "hours since " + found.periods.front() : column, ""};
  if (!hours)
    for (Index p = 0; p < x.size(); ++p) text.x_names.emplace_back(x[p], found.periods[p]);
  return curves_svg(text, curves);
}

}  // namespace shoal
