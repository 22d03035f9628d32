#include <algorithm>
#include <limits>

#include "shoal/core/names.h"
#include "shoal/core/rounded.h"
#include "shoal/flow/watch/drift_report.h"
#include "shoal/map/svg.h"

namespace shoal {

std::string drift_svg(const DriftReport& report, double alpha) {
  if (report.steps.size() == 1 && report.steps[0].name.empty()) {
    std::vector<Bar> bars;
    const DriftStep& step = report.steps[0];
    for (Index c = 0; c < step.found.clusters.size(); ++c) {
      bars.push_back({step.clusters[c].name + ", old", step.found.clusters[c].old_share});
      bars.push_back({step.clusters[c].name + ", new", step.found.clusters[c].new_share});
    }
    return bars_svg({"Share of the rows in each cluster, old and new", "", "share"}, bars);
  }
  std::vector<PlotCurve> curves;
  std::vector<double> x;
  PlotText text{"Drift over time", "", ""};
  for (const DriftStep& step : report.steps) {
    x.push_back(step.start);
    text.x_names.emplace_back(step.start, step.name);
  }
  const auto value_or_gap = [](bool there, double v) {
    return there ? v : std::numeric_limits<double>::quiet_NaN();
  };
  PlotCurve p{.name = "p-value of all tests, corrected (drift: at most " + rounded(alpha, "%.3g") + ")",
              .x = x,
              .y = {},
              .marked = {},
              .level = alpha};
  Index least = 0;
  for (Index i = 0; i < report.steps.size(); ++i) {
    const DriftStep& step = report.steps[i];
    p.y.push_back(value_or_gap(step.problem.empty() && step.found.enough_blocks, step.corrected_p_val));
    if (step.corrected_p_val < report.steps[least].corrected_p_val) least = i;
  }
  p.marked = least;
  curves.push_back(std::move(p));
  const auto first = std::ranges::find_if(report.steps, [](const DriftStep& s) { return s.problem.empty(); });
  if (first != report.steps.end())
    for (Index t = 0; t < first->found.tests.size(); ++t) {
      PlotCurve curve{
          .name = std::string(name_of(first->found.tests[t].test)) + ", as a multiple of its threshold",
          .x = x,
          .y = {},
          .marked = {},
          .level = 1.0};
      for (const DriftStep& step : report.steps) {
        const bool there = step.problem.empty() && step.found.tests[t].threshold > 0;
        curve.y.push_back(
            value_or_gap(there, there ? step.found.tests[t].distance / step.found.tests[t].threshold : 0));
      }
      curves.push_back(std::move(curve));
    }
  return curves_svg(text, curves);
}

}  // namespace shoal
