#include "shoal/flow/watch/online_report.h"

#include <algorithm>
#include <cmath>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/core/names.h"
#include "shoal/flow/folders/cluster_vectors.h"
#include "shoal/flow/texts/models.h"
#include "shoal/linear/norms.h"
#include "shoal/map/svg.h"
#include "shoal/near/select_rows.h"

namespace shoal {
namespace {

constexpr Index kAtOnce = 256;

void take(const std::vector<OnlineDrift::Step>& steps, const std::function<std::string(Index)>& text_of,
          const std::function<void(const OnlineAlarm&)>& heard, OnlineReport& report) {
  for (Index i = 0; i < steps.size(); ++i) {
    report.statistic.push_back(steps[i].statistic);
    ++report.rows;
    if (!steps[i].alarm) continue;
    report.alarms.push_back({steps[i].row, steps[i].statistic, text_of(i)});
    if (heard) heard(report.alarms.back());
  }
}

}  // namespace

OnlineReport watch_stream(const OnlineReportOptions& options, const Run& run, const Notice& notice,
                          const std::function<void(const OnlineAlarm&)>& heard) {
  OnlineReport out;
  const TextsAndVectors reference = read_texts_and_vectors(options.reference, {}, options.read, run, notice);
  OnlineDrift watch = OnlineDrift::fit(reference.vectors, options.how, run);
  out.reference_rows = reference.vectors.rows();
  out.threshold = watch.threshold();
  out.scores = watch.scores();
  const Space& space = reference.vectors.space();
  if (options.stream == "-") {
    const Encoder encoder = load_model(options.read.model, options.read.models_folder, run);
    check_space(
        space,
        in_space_of(space, Rows(Matrix(0, encoder.space().dims), encoder.space()), out.assumed_space).space(),
        "the stream");
    Source source({options.stream}, options.read.read, run.stop);
    Texts texts;
    std::vector<Texts> others;
    while (source.next(1, texts, others)) {
      check_stop(run);
      const Rows rows = encoder.encode(texts, options.read.encode, run.quiet()).assume_space(space);
      take(
          watch.update(rows, run.quiet()), [&](Index i) { return std::string(texts[i]); }, heard, out);
    }
    return out;
  }
  TextsAndVectorsOptions read = options.read;
  read.vectors = options.stream_vectors;
  const TextsAndVectors stream = read_texts_and_vectors(options.stream, {}, read, run, notice);
  const Rows rows = in_space_of(space, stream.vectors, out.assumed_space);
  check_space(space, rows.space(), options.stream.c_str());
  Matrix scratch;
  for (Index first = 0; first < rows.rows(); first += kAtOnce) {
    check_stop(run);
    const Index count = std::min(kAtOnce, rows.rows() - first);
    const Rows part(rows.block(first, count, scratch), rows.space());
    take(
        watch.update(part, run.quiet()), [&](Index i) { return text_of_row(stream, first + i); }, heard, out);
    if (run.progress)
      run.progress("watch", static_cast<double>(first + count), static_cast<double>(rows.rows()));
  }
  return out;
}

std::string online_svg(const OnlineReport& report, OnlineMethod method) {
  const bool stake = method == OnlineMethod::martingale;
  PlotCurve curve{
      .name =
          stake ? "stake, log 10 (alarm at " + std::to_string(std::log10(report.threshold)).substr(0, 4) + ")"
                : "highest chart (alarm at " + std::to_string(report.threshold).substr(0, 5) + ")",
      .x = {},
      .y = {},
      .marked = {}};
  // At most 2,000 points: of each stretch of rows the highest, so that alarms are seen.
  const Index stretch = report.statistic.size() / 2000 + 1;
  for (Index i = 0; i < report.statistic.size(); i += stretch) {
    const auto begin = report.statistic.begin() + static_cast<std::ptrdiff_t>(i);
    const auto end = report.statistic.begin() +
                     static_cast<std::ptrdiff_t>(std::min(i + stretch, report.statistic.size()));
    const double highest = *std::max_element(begin, end);
    curve.x.push_back(static_cast<double>(i + 1));
    curve.y.push_back(stake ? std::log10(std::max(highest, 1e-12)) : highest);
  }
  if (!report.alarms.empty()) curve.marked = (report.alarms.front().row - 1) / stretch;
  return curves_svg({"Evidence that the stream has changed", "rows", ""}, {curve});
}

}  // namespace shoal
