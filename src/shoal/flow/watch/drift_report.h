#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "shoal/explain/times.h"
#include "shoal/flow/texts/texts_and_vectors.h"
#include "shoal/watch/drift.h"

namespace shoal {

/// What each period is compared with.
enum class Against : std::uint8_t {
  first,     ///< the first period that has rows
  previous,  ///< the one before it that has rows
  rest       ///< all others
};
constexpr auto names_of(Against) { return std::array{"first", "previous", "rest"}; }

struct DriftReportOptions {
  std::filesystem::path old_input;
  std::optional<std::filesystem::path> new_input;  ///< absent: periods of the old one
  std::string time;                                ///< a column of times; empty: none
  std::string blocks;                              ///< a column whose equal values are one block; empty: none
  std::string given;  ///< context whose effect is taken off: a column, "topics" or "length"; empty: none
  std::optional<Period> every;  ///< of periods
  Against against = Against::rest;
  std::optional<Index> n_clusters;
  DriftOptions drift;
  TextsAndVectorsOptions read;
  std::filesystem::path new_vectors;  ///< as read.vectors, of the new input
};
template <class V>
void fields(DriftReportOptions& o, V&& visit) {
  visit("every", o.every, "period that is compared. Default: the shortest that gives at most 24");
  visit("against", o.against, "what each period is compared with");
  visit("n_clusters", o.n_clusters,
        "clusters for the tests of clusters. Default: one for 50 rows, 2 to 20; a collection has its own",
        between(2, 1000));
}

/// A cluster whose share is told, with texts that show what it is about.
struct WatchedCluster {
  std::string name;
  std::vector<std::string>
      examples;  ///< typical texts of the side where it is larger; none for vectors alone
};

/// One comparison: the new rows against the old ones, or a period against others.
struct DriftStep {
  std::string name;  ///< of the period; empty for two inputs
  double start = 0;  ///< of the period, in days since 1970-01-01
  Index rows = 0;
  std::string problem;  ///< why it was not compared; empty: it was
  DriftResult found;
  double corrected_p_val = 1;            ///< for all periods together (Holm)
  std::vector<WatchedCluster> clusters;  ///< as found.clusters, of those that changed; else without examples
};

struct DriftReport {
  std::vector<DriftStep> steps;  ///< one for two inputs
  std::optional<bool> is_drift;  ///< of any step, all corrected together; absent: nowhere enough blocks
  double p_val = 1;              ///< the smallest corrected one
  std::string unit;              ///< what was dealt: "rows", "days", "hours", "values of source"
  bool each_row = false;         ///< no time and no blocks: each row was taken for independent
  Index clusters = 0;
  double bandwidth = 0;
  Index left_out = 0;          ///< rows without a time or a block
  bool assumed_space = false;  ///< some vectors do not say which model made them
  std::vector<std::string> notes;
  TextsAndVectors old_rows, new_rows;  ///< what was read; new_rows is empty for periods
};

/// Whether texts have changed. Two inputs: the new against the old. One input with a column of times: each
/// period against `against`. Blocks: the values of the column `blocks`; else the days of `time` (or its hours
/// where periods are days, or what it can tell); else each row. Error(argument) if there is one input and no
/// time, or columns are missing; Error(data) if fewer than two periods have rows, or inputs are of different
/// models or dimensions, or as the parts that read. `given` takes off each row the mean of all rows, old and
/// new, of its context: of equal values of a column, of its cluster (topics), or of texts about as long (ten
/// groups). What is then still found is no mere change in the mix of contexts.
DriftReport drift_report(const DriftReportOptions& options, const Run& run, const Notice& notice = {});

/// The tests of a step over time, as multiples of their thresholds, and the p-value; for two inputs the
/// clusters' shares on both sides.
std::string drift_svg(const DriftReport& report, double alpha);

}  // namespace shoal
