#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "shoal/explain/times.h"
#include "shoal/flow/texts/texts_and_vectors.h"
#include "shoal/watch/lifetime.h"

namespace shoal {

struct LifetimeReportOptions {
  std::filesystem::path input;
  std::string time;    ///< a column of times
  std::string labels;  ///< a column of classes; empty: judged by clusters alone
  std::optional<Period> every;
  std::optional<Index> join;
  LifetimeOptions how;
  TextsAndVectorsOptions read;
};
template <class V>
void fields(LifetimeReportOptions& o, V&& visit) {
  visit("every", o.every, "period of a window. Default: the shortest that gives at most 60");
  visit("join", o.join, "periods that make one window. Default: so many that there are at most 60 windows",
        at_least(1));
}

/// What becomes of a cluster of old texts when clusters are found anew on the latest ones.
struct ClusterFuture {
  std::string name;                  ///< of the old one, or of the new one where nothing was before
  std::string what;                  ///< "goes on", "died", "born"
  std::string new_name;              ///< where it goes on
  Index old_rows = 0, new_rows = 0;  ///< latest rows that the old and the new clusters put there
  double kept = 0;                   ///< rows in both / rows in either, where it goes on
};

struct LifetimeReport {
  LifetimeResult found;
  Period every = Period::month;
  Index join = 1, rows = 0, left_out = 0;
  std::vector<ClusterFuture> clusters;
  std::vector<std::string> splits, merges;  ///< in words
  std::vector<std::string> notes;
  TextsAndVectors read;
};

/// How long models of these texts stay fit: see lifetime. And what finding clusters anew changes: clusters of
/// the first third of the windows against those of the last third, on the rows of the last third.
/// Error(argument) if columns are missing, Error(data) as over_time for the times and as lifetime.
LifetimeReport lifetime_report(const LifetimeReportOptions& options, const Run& run,
                               const Notice& notice = {});

/// "3 years", "12 weeks", "5 days", "2.5 hours", of days.
std::string time_in_words(double days);
/// What may be said of a lifetime, in a sentence or two.
std::string lifetime_in_words(const LossCurve& curve, double loss, double confidence);
/// The losses by age, a panel a measure; `loss`, that was asked about, as a line where it is not far beyond.
std::string lifetime_svg(const LifetimeReport& report, double loss);

}  // namespace shoal
