#include "shoal/flow/watch/drift_report.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "shoal/core/error.h"
#include "shoal/core/names.h"
#include "shoal/explain/correction.h"
#include "shoal/flow/folders/cluster_folder.h"
#include "shoal/flow/watch/drift_rows_impl.h"

namespace shoal {
namespace {

constexpr Index kFewPeriods = 24;

std::string day_of(double days, Period every, Clock clock) {
  return period_name(period_number(days, every), every, clock);
}

/// The calendar's unit that rows are dealt by: days, or the next smaller one than the periods'.
std::optional<Period> block_period(const Times& times, std::optional<Period> every) {
  if (times.clock == Clock::years) return Period::year;
  if (times.clock == Clock::time_of_day) return every ? std::nullopt : std::optional(Period::hour);
  if (every == Period::hour) return std::nullopt;
  if (every == Period::day) return times.clock == Clock::days ? std::nullopt : std::optional(Period::hour);
  return Period::day;
}

/// Blocks of rows with equal values in order of first appearance; of two inputs those of each side for
/// themselves, as a block is dealt whole.
Labels blocks_of(const std::vector<std::optional<std::string>>& values,
                 const std::vector<std::uint8_t>& is_new) {
  std::map<std::pair<std::string, bool>, Label> known;
  Labels out;
  for (Index i = 0; i < values.size(); ++i) {
    if (!values[i]) {
      out.of.push_back(kNoise);
      continue;
    }
    const auto [at, added] =
        known.try_emplace({*values[i], is_new[i] != 0}, static_cast<Label>(known.size()));
    out.of.push_back(at->second);
  }
  out.count = known.size();
  return out;
}

/// All that a run of drift_report needs beside its rows.
struct Comparison {
  const DriftStudy& study;
  const Labels& blocks;
  const Labels& clusters;
  const std::vector<std::string>& names;
  const Joined& rows;
};

void compare(const Comparison& c, const std::vector<Index>& old_blocks, const std::vector<Index>& new_blocks,
             const Run& run, DriftStep& step) {
  try {
    step.found = c.study.compare(old_blocks, new_blocks, run);
  } catch (const Error& e) {
    if (e.fault != Fault::data || step.name.empty()) throw;
    step.problem = e.what();
    return;
  }
  std::vector<std::uint8_t> side(c.blocks.count);  // 1: old, 2: new
  for (const Index b : old_blocks) side[b] = 1;
  for (const Index b : new_blocks) side[b] = 2;
  for (const ClusterChange& change : step.found.clusters) {
    WatchedCluster& watched = step.clusters.emplace_back();
    watched.name = c.names[static_cast<Index>(change.cluster)];
    if (change.fate == ClusterFate::same) continue;
    const std::uint8_t larger = change.new_share > change.old_share ? 2 : 1;
    std::vector<Index> of;
    for (Index i = 0; i < c.blocks.of.size(); ++i)
      if (c.blocks.of[i] != kNoise && side[static_cast<Index>(c.blocks.of[i])] == larger &&
          c.clusters.of[i] == change.cluster)
        of.push_back(i);
    watched.examples = typical_texts(c.rows, of);
  }
}

/// What the p-values of some comparison rest on, if that is not as it should be.
void note_sides(const DriftOptions& options, DriftReport& report) {
  Index unseen = 0, uneven = 0;
  for (const DriftStep& step : report.steps) {
    const DriftResult& found = step.found;
    if (!step.problem.empty() || found.tests.empty()) continue;
    unseen += std::ranges::any_of(found.tests, [](const auto& test) { return std::isnan(test.p_val); });
    const double of_old = static_cast<double>(found.old_rows) / static_cast<double>(found.old_blocks),
                 of_new = static_cast<double>(found.new_rows) / static_cast<double>(found.new_blocks);
    uneven += !report.each_row && std::max(of_old, of_new) > 2 * std::min(of_old, of_new);
  }
  const auto of = [&](Index n) {
    return report.steps.size() == 1 ? std::string() : " in " + std::to_string(n) + " comparisons";
  };
  if (unseen > 0)
    report.notes.push_back("no row of the smaller side is among the " + std::to_string(options.max_rows) +
                           " that tests of pairs look at" + of(unseen) + ": they say nothing; " +
                           "allow more rows");
  if (uneven > 0)
    report.notes.push_back("blocks of one side have more than twice as many rows as those of the other" +
                           of(uneven) + ": deals are then not quite alike, and p-values only about right");
}

void conclude(DriftReport& report, double alpha) {
  std::vector<double> p;
  Index counted = 0;
  double smallest = 1;  // p that any period can reach
  for (const DriftStep& step : report.steps) {
    const bool counts = step.problem.empty() && step.found.enough_blocks;
    p.push_back(counts ? step.found.p_val : std::numeric_limits<double>::quiet_NaN());
    counted += counts;
    if (counts) smallest = std::min(smallest, step.found.smallest_p);
  }
  smallest *= static_cast<double>(counted);  // corrected for all periods
  const bool enough = counted > 0 && smallest <= alpha;
  if (counted > 0 && !enough)
    report.notes.push_back("with " + std::to_string(counted) + " periods no corrected p can be below " +
                           short_number(smallest, 3) +
                           ": compare fewer or longer periods, or allow more permutations");
  const std::vector<double> corrected = corrected_p_values(p, Correction::holm);
  report.p_val = 1;
  for (Index i = 0; i < corrected.size(); ++i) {
    report.steps[i].corrected_p_val = std::isnan(corrected[i]) ? 1 : corrected[i];
    report.p_val = std::min(report.p_val, report.steps[i].corrected_p_val);
  }
  if (report.steps.size() == 1 && report.steps[0].problem.empty()) report.p_val = report.steps[0].found.p_val;
  if (enough) report.is_drift = report.p_val <= alpha * (1 + 1e-12);
}

}  // namespace

DriftReport drift_report(const DriftReportOptions& options, const Run& run, const Notice& notice) {
  require(options.new_input || !options.time.empty(), Fault::argument,
          "one input is compared with itself over time: give " + option_name("time") +
              " COLUMN, or a second input");
  require(options.new_input || options.blocks != options.time || options.time.empty(), Fault::argument,
          option_name("blocks") + " is the column of times itself; days are blocks without it");
  DriftReport out;
  std::vector<std::string> columns;
  if (!options.time.empty()) columns.push_back(options.time);
  if (!options.blocks.empty()) columns.push_back(options.blocks);
  const bool given_column =
      !options.given.empty() && options.given != kGivenTopics && options.given != kGivenLength;
  if (given_column) columns.push_back(options.given);
  out.old_rows = read_texts_and_vectors(options.old_input, columns, options.read, run, notice);
  if (options.new_input) {
    TextsAndVectorsOptions read = options.read;
    read.vectors = options.new_vectors;
    out.new_rows = read_texts_and_vectors(*options.new_input, columns, read, run, notice);
  }
  Joined rows = join(out, options, run);
  if (!options.given.empty()) {
    const Texts* context = given_column ? &rows.columns.back() : nullptr;
    rows.vectors = less_context(rows, context, options, run);
  }
  const Index n = rows.vectors.rows();

  std::optional<Times> times;
  if (!options.time.empty()) {
    try {
      times = read_times(rows.columns[0]);
    } catch (const Error& e) {
      throw Error(e.fault, "column " + options.time + ": " + e.marked, e.hint);
    }
    if (times->missing > 0)
      out.notes.push_back(std::to_string(times->missing) + " of " + std::to_string(n) +
                          " rows have no time in column " + options.time +
                          " that is written as the others are; they are left out");
  }
  std::optional<Period> every;
  if (!options.new_input) every = choose_period(*times, options.every, kFewPeriods);

  // The blocks.
  std::vector<std::optional<std::string>> values(n);
  std::optional<Period> unit;
  if (options.blocks.empty() && times) unit = block_period(*times, every);
  const Texts* column = options.blocks.empty() ? nullptr : &rows.columns[options.time.empty() ? 0 : 1];
  for (Index i = 0; i < n; ++i) {
    if (times && std::isnan(times->days[i])) continue;
    if (column) {
      if ((*column)[i].find_first_not_of(" \t") == std::string_view::npos) continue;
      values[i] = std::string((*column)[i]);
      // A source that goes on through several periods is a block in each.
      if (every) *values[i] += '\n' + day_of(times->days[i], *every, times->clock);
    } else if (unit) {
      values[i] = day_of(times->days[i], *unit, times->clock);
    } else {
      values[i] = std::to_string(i);
    }
  }
  for (const auto& value : values) out.left_out += !value;
  out.each_row = !column && !unit;
  out.unit = column ? "values of " + options.blocks : unit ? std::string(name_of(*unit)) + "s" : "rows";
  const Labels blocks = blocks_of(values, rows.is_new);
  require(blocks.count > 0, Fault::data, "no row has a value in column " + options.blocks);

  const Labels clusters = drift_clusters(rows, options, run, out);
  out.clusters = clusters.count;
  const std::vector<std::string> names = clusters.of.empty()
                                             ? std::vector<std::string>()
                                             : names_of_drift_clusters(clusters, rows, options, run);
  const DriftStudy study(rows.vectors, blocks, clusters, options.drift, run);
  out.bandwidth = study.bandwidth();
  const Comparison with{study, blocks, clusters, names, rows};

  if (options.new_input) {
    std::vector<Index> sides[2];
    std::vector<std::uint8_t> seen(blocks.count);
    for (Index i = 0; i < n; ++i) {
      if (blocks.of[i] == kNoise) continue;
      const auto b = static_cast<Index>(blocks.of[i]);
      if (!std::exchange(seen[b], std::uint8_t{1})) sides[rows.is_new[i]].push_back(b);
    }
    DriftStep& step = out.steps.emplace_back();
    step.rows = out.new_rows.vectors.rows();
    compare(with, sides[0], sides[1], run, step);
  } else {
    std::map<std::int64_t, std::vector<Index>> periods;  // the blocks of each
    std::map<std::int64_t, Index> rows_in;
    std::vector<std::uint8_t> seen(blocks.count);
    for (Index i = 0; i < n; ++i) {
      if (blocks.of[i] == kNoise) continue;
      const std::int64_t number = period_number(times->days[i], *every);
      const auto b = static_cast<Index>(blocks.of[i]);
      ++rows_in[number];
      if (!std::exchange(seen[b], std::uint8_t{1})) periods[number].push_back(b);
    }
    require(periods.size() >= 2, Fault::data,
            "all rows are of one " + std::string(name_of(*every)) + "; " + option_name("every") +
                " takes a shorter one");
    const Index gaps =
        static_cast<Index>(periods.rbegin()->first - periods.begin()->first) + 1 - periods.size();
    if (gaps > 0)
      out.notes.push_back(std::to_string(gaps) + " " + name_of(*every) + (gaps == 1 ? " has" : "s have") +
                          " no rows and " + (gaps == 1 ? "is" : "are") + " passed over");
    for (auto at = periods.begin(); at != periods.end(); ++at) {
      if (options.against != Against::rest && at == periods.begin()) continue;
      DriftStep& step = out.steps.emplace_back();
      step.name = period_name(at->first, *every, times->clock);
      step.start = period_start(at->first, *every);
      step.rows = rows_in[at->first];
      std::vector<Index> old_blocks;
      for (auto other = periods.begin(); other != periods.end(); ++other) {
        const bool taken = options.against == Against::rest    ? other != at
                           : options.against == Against::first ? other == periods.begin()
                                                               : std::next(other) == at;
        if (taken) old_blocks.insert(old_blocks.end(), other->second.begin(), other->second.end());
      }
      compare(with, old_blocks, at->second, run, step);
    }
  }
  note_sides(options.drift, out);
  conclude(out, options.drift.alpha);
  return out;
}

}  // namespace shoal
