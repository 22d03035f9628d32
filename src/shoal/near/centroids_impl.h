#pragma once

#include <vector>

#include "shoal/core/labels.h"
#include "shoal/core/matrix.h"
#include "shoal/core/run.h"
#include "shoal/near/metric_rows_impl.h"

namespace shoal {

/// The sum of the rows of each label, as the metric has them, in double: labels.count x d, folded in order.
/// Rows labelled kNoise are left out. At most 16 partial sums are held.
std::vector<double> label_sums(const MetricRows& rows, const Labels& labels, const Run& run);

/// The same of rows in their own units, however large.
std::vector<double> label_sums(const Rows& x, Metric metric, const Labels& labels, const Run& run);

/// The mean of the rows of each label; under cosine of rows of length 1, scaled to length 1, or zero if it
/// has no direction. Error(data) naming a label without rows.
Matrix centroids(const Rows& x, Metric metric, const Labels& labels, const Run& run);

}  // namespace shoal
