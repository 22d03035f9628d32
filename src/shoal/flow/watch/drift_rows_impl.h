#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "shoal/core/labels.h"
#include "shoal/core/run.h"
#include "shoal/flow/watch/drift_report.h"

namespace shoal {

/// All rows of one or two inputs, one after the other.
struct Joined {
  Rows vectors{MatrixView{}};
  Texts texts;
  std::vector<Texts> columns;
  std::vector<std::uint8_t> is_new;  // two inputs: of each row whether it is of the second
};

/// The rows that report.old_rows and report.new_rows have read. Error(data) if they are of different
/// models or dimensions.
Joined join(DriftReport& report, const DriftReportOptions& options, const Run& run);

/// What DriftReportOptions::given may name beside a column.
inline constexpr const char *kGivenTopics = "topics", *kGivenLength = "length";
/// The vectors less the mean of the rows of the same context. column: the one that is named; else none.
Rows less_context(const Joined& rows, const Texts* column, const DriftReportOptions& options, const Run& run);

/// Clusters of all rows together: those of the collection, or found; none if no test wants them.
Labels drift_clusters(const Joined& rows, const DriftReportOptions& options, const Run& run,
                      DriftReport& report);
std::vector<std::string> names_of_drift_clusters(const Labels& labels, const Joined& rows,
                                                 const DriftReportOptions& options, const Run& run);
/// The texts of some rows that lie nearest to the rows' mean, no two alike.
std::vector<std::string> typical_texts(const Joined& rows, const std::vector<Index>& of);

}  // namespace shoal
