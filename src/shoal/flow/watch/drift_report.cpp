#include "shoal/flow/watch/drift_report.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "shoal/cluster/kmeans/spherical_kmeans.h"
#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/core/names.h"
#include "shoal/explain/correction.h"
#include "shoal/explain/ctfidf.h"
#include "shoal/flow/folders/cluster_folder.h"
#include "shoal/flow/folders/cluster_vectors.h"
#include "shoal/linear/norms.h"
#include "shoal/map/svg.h"
#include "shoal/store/collection/collection.h"

namespace shoal {
namespace {

constexpr Index kFewPeriods = 24;
constexpr Index kRowsACluster = 50, kMostClusters = 20;
constexpr Index kExamples = 3;
constexpr std::size_t kExampleBytes = 200;
constexpr Label kLengths = 10;
constexpr const char *kGivenTopics = "topics", *kGivenLength = "length";

/// All rows of one or two inputs, one after the other.
struct Joined {
  Rows vectors{MatrixView{}};
  Texts texts;
  std::vector<Texts> columns;
  std::vector<std::uint8_t> is_new;  // two inputs: of each row whether it is of the second
};

Rows joined(const Rows& a, const Rows& b, const Run& run) {
  Matrix all(a.rows() + b.rows(), a.cols());
  const auto copy = [&](const Rows& from, Index to) {
    for_chunks(run, from.rows(), 4096, [&](Index, Index first, Index last) {
      Matrix scratch;
      const MatrixView block = from.block(first, last - first, scratch);
      for (Index i = 0; i < block.rows; ++i) std::ranges::copy(block[i], all[to + first + i].begin());
    });
  };
  copy(a, 0);
  copy(b, a.rows());
  return Rows(std::move(all), a.space());
}

Joined join(DriftReport& report, const DriftReportOptions& options, const Run& run) {
  const TextsAndVectors &a = report.old_rows, &b = report.new_rows;
  Joined out{a.vectors, a.texts, a.columns, std::vector<std::uint8_t>(a.vectors.rows())};
  if (!options.new_input) return out;
  const std::string &old_name = options.old_input.string(), &new_name = options.new_input->string();
  require(a.vectors.cols() == b.vectors.cols(), Fault::data,
          old_name + " has vectors of " + std::to_string(a.vectors.cols()) + " numbers, " + new_name +
              " of " + std::to_string(b.vectors.cols()));
  check_space(a.vectors.space(), in_space_of(a.vectors.space(), b.vectors, report.assumed_space).space(),
              new_name.c_str());
  out.vectors = joined(a.vectors, b.vectors, run);
  out.is_new.resize(out.vectors.rows(), 1);
  if (!a.has_texts() || !b.has_texts()) out.texts.clear();
  if (a.has_texts() && b.has_texts())
    for (Index i = 0; i < b.texts.size(); ++i) out.texts.add(b.texts[i]);
  for (Index c = 0; c < out.columns.size(); ++c)
    for (Index i = 0; i < b.columns[c].size(); ++i) out.columns[c].add(b.columns[c][i]);
  return out;
}

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

Labels find_clusters_of(const Joined& rows, const DriftReportOptions& options, const Run& run,
                        DriftReport& report) {
  const bool wanted = std::ranges::any_of(
      options.drift.tests, [](DriftTest t) { return t == DriftTest::g_test || t == DriftTest::kl_clusters; });
  if (!wanted) return {};
  if (!options.new_input && !options.n_clusters && options.given.empty() &&
      Collection::exists(options.old_input)) {
    const Collection collection = Collection::open(options.old_input, true);
    if (collection.result(kMainClustering)) {
      Labels labels = collection.labels_so_far(kMainClustering);
      if (labels.count >= 2) return labels;
    }
  }
  SphericalKMeansOptions k;
  k.n_clusters =
      options.n_clusters.value_or(std::clamp<Index>(rows.vectors.rows() / kRowsACluster, 2, kMostClusters));
  k.n_init = 1;
  k.seed = options.drift.seed.child(10);
  try {
    return SphericalKMeans::fit(rows.vectors, k, run.quiet()).labels();
  } catch (const Error& e) {
    if (e.fault != Fault::data || options.n_clusters) throw;
    report.notes.push_back("too few different rows for clusters: the tests of clusters are left out");
    return {};
  }
}

/// Of each row its group by what it is given; kNoise where that is not known.
Labels contexts(const Joined& rows, const Texts* column, const DriftReportOptions& options, const Run& run) {
  const Index n = rows.vectors.rows();
  Labels out;
  if (column != nullptr) {
    std::map<std::string, Label> known;
    for (Index i = 0; i < n; ++i)
      out.of.push_back(
          known.try_emplace(std::string((*column)[i]), static_cast<Label>(known.size())).first->second);
    out.count = known.size();
  } else if (options.given == kGivenTopics) {
    SphericalKMeansOptions k;
    k.n_clusters = options.n_clusters.value_or(std::clamp<Index>(n / kRowsACluster, 2, kMostClusters));
    k.n_init = 1;
    k.seed = options.drift.seed.child(11);
    return SphericalKMeans::fit(rows.vectors, k, run.quiet()).labels();
  } else {
    require(rows.texts.size() == n, Fault::argument,
            option_name("given") + " length needs texts; these are vectors alone");
    std::vector<Index> order(n);
    std::iota(order.begin(), order.end(), Index{0});
    std::ranges::sort(order, {}, [&](Index i) { return std::pair(rows.texts[i].size(), i); });
    out = {std::vector<Label>(n), kLengths};
    for (Index i = 0; i < n; ++i) out.of[order[i]] = static_cast<Label>(i * kLengths / n);
  }
  require(out.count >= 2 && out.count <= n / 2, Fault::data,
          option_name("given") + " " + options.given + " has " + std::to_string(out.count) +
              " different values; from 2 to half as many as rows make groups");
  return out;
}

/// The rows less the mean of their group.
Rows less_means(const Rows& x, const Labels& groups) {
  Matrix all = x.to_matrix();
  std::vector<std::vector<double>> sums(groups.count, std::vector<double>(all.cols()));
  const std::vector<Index> sizes = label_sizes(groups);
  for (Index i = 0; i < all.rows(); ++i)
    if (groups.of[i] != kNoise)
      for (Index j = 0; j < all.cols(); ++j)
        sums[static_cast<Index>(groups.of[i])][j] += static_cast<double>(all[i][j]);
  for (Index i = 0; i < all.rows(); ++i) {
    if (groups.of[i] == kNoise) continue;
    const auto g = static_cast<Index>(groups.of[i]);
    for (Index j = 0; j < all.cols(); ++j)
      all[i][j] =
          static_cast<float>(static_cast<double>(all[i][j]) - sums[g][j] / static_cast<double>(sizes[g]));
  }
  return Rows(std::move(all), x.space());
}

std::vector<std::string> names_of_clusters(const Labels& labels, const Joined& rows,
                                           const DriftReportOptions& options, const Run& run) {
  std::vector<std::string> out;
  if (!options.new_input && !options.n_clusters && options.given.empty() &&
      Collection::exists(options.old_input)) {
    const Collection collection = Collection::open(options.old_input, true);
    for (const auto& cluster : collection.clusters()) out.push_back(cluster.name);
    if (out.size() == labels.count) return out;
    out.clear();
  }
  if (rows.texts.size() > 0) {
    CtfidfOptions words;
    words.min_count = std::min<Index>(3, std::max<Index>(1, rows.texts.size() / 100));
    Ctfidf counts(labels.count, words);
    counts.add(rows.texts, labels.of.data(), run);
    for (const auto& best : counts.top_words()) out.push_back(cluster_name(best));
  }
  out.resize(labels.count);
  for (Index c = 0; c < out.size(); ++c)
    if (out[c].empty()) out[c] = "cluster " + std::to_string(c);
  return out;
}

/// The texts of some rows that lie nearest to the rows' mean, no two alike.
std::vector<std::string> typical_texts(const Joined& rows, const std::vector<Index>& of) {
  std::vector<std::string> out;
  if (rows.texts.size() == 0 || of.empty()) return out;
  Matrix scratch;
  std::vector<double> mean(rows.vectors.cols());
  for (const Index i : of) {
    const auto row = rows.vectors.block(i, 1, scratch)[0];
    for (Index j = 0; j < mean.size(); ++j) mean[j] += static_cast<double>(row[j]);
  }
  std::vector<std::pair<double, Index>> near;
  for (const Index i : of) {
    const auto row = rows.vectors.block(i, 1, scratch)[0];
    double product = 0, length = 0;
    for (Index j = 0; j < mean.size(); ++j) {
      product += mean[j] * static_cast<double>(row[j]);
      length += static_cast<double>(row[j]) * static_cast<double>(row[j]);
    }
    near.emplace_back(length > 0 ? -product / std::sqrt(length) : 0, i);
  }
  std::ranges::sort(near);
  for (const auto& [closeness, i] : near) {
    std::string text(rows.texts[i].substr(0, kExampleBytes));
    if (std::ranges::find(out, text) == out.end()) out.push_back(std::move(text));
    if (out.size() == kExamples) break;
  }
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
    rows.vectors = less_means(rows.vectors, contexts(rows, context, options, run));
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

  const Labels clusters = find_clusters_of(rows, options, run, out);
  out.clusters = clusters.count;
  const std::vector<std::string> names =
      clusters.of.empty() ? std::vector<std::string>() : names_of_clusters(clusters, rows, options, run);
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
  conclude(out, options.drift.alpha);
  return out;
}

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
  for (const DriftStep& step : report.steps) x.push_back(1970 + step.start / 365.2425);
  const auto value_or_gap = [](bool there, double v) {
    return there ? v : std::numeric_limits<double>::quiet_NaN();
  };
  PlotCurve p{
      .name = "p-value of all tests, corrected (drift: at most " + std::to_string(alpha).substr(0, 4) + ")",
      .x = x,
      .y = {},
      .marked = {}};
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
          .marked = {}};
      for (const DriftStep& step : report.steps) {
        const bool there = step.problem.empty() && step.found.tests[t].threshold > 0;
        curve.y.push_back(
            value_or_gap(there, there ? step.found.tests[t].distance / step.found.tests[t].threshold : 0));
      }
      curves.push_back(std::move(curve));
    }
  return curves_svg({"Drift over time", "in years", ""}, curves);
}

}  // namespace shoal
