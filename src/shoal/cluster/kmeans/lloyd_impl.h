#pragma once

#include <span>

#include "shoal/cluster/kmeans/angle_bounds_impl.h"
#include "shoal/core/labels.h"
#include "shoal/core/matrix.h"
#include "shoal/core/run.h"
#include "shoal/near/metric_rows_impl.h"

namespace shoal {

struct LloydOptions {
  Index max_iter = 300;
  double tol = 1e-6;
  bool bounds = true;  ///< false: every product of every round, for comparison; the same bits
  Index bound_bytes = AngleBounds::kMostBytes;  ///< memory for bounds: less of it, more products
  std::span<const float> weights = {};          ///< empty, or one a row, finite, >= 0
};

struct LloydResult {
  Matrix centers;        ///< as the metric has its rows: of length 1, or in the frame
  Labels labels;         ///< nearest of exactly these centers
  double objective = 0;  ///< sum of weight times cosine, or minus the inertia in the frame
  double mass = 0;       ///< weight of the labelled rows
  Index n_iter = 0;      ///< times the centers were moved
};

/// Lloyd's rounds from `start` (centers as the metric has its rows): label every row, move every centroid to
/// the mean of its rows, or under cosine to its direction. A centroid without rows of positive weight takes
/// over the row furthest from its own centroid (of clusters that keep another row; ties by the smaller row);
/// one whose rows cancel out under cosine stays where it is. Rows of zeros get kNoise under cosine and count
/// nowhere. The same bits for any number of threads, since a label depends on its row alone and sums are
/// exact.
LloydResult lloyd(const MetricRows& rows, Matrix start, const LloydOptions& options, const Run& run);

}  // namespace shoal
