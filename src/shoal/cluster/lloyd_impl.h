#pragma once

#include "shoal/cluster/angle_bounds_impl.h"
#include "shoal/cluster/unit_rows_impl.h"
#include "shoal/core/labels.h"
#include "shoal/core/matrix.h"
#include "shoal/core/run.h"

namespace shoal {

struct LloydOptions {
  Index max_iter = 100;
  double tol = 1e-4;
  bool bounds = true;  ///< false: every product of every round, for comparison; the same bits
  Index bound_bytes = AngleBounds::kMostBytes;  ///< memory for bounds: less of it, more products
};

struct LloydResult {
  Matrix centers;  ///< unit rows
  Labels labels;   ///< nearest of exactly these centers
  double objective = 0;
  Index n_iter = 0;  ///< times the centers were moved
};

/// Lloyd's rounds on the sphere from `start` (unit rows): label every row, move every centroid to the
/// direction of its rows' sum. A centroid without rows takes over the row furthest from its own centroid (of
/// clusters that keep another row; ties by the smaller row); one whose rows cancel out stays where it is.
/// Rows of zeros get kNoise and count nowhere. The same bits for any number of threads, since a label depends
/// on its row alone and sums are exact.
LloydResult lloyd(const UnitRows& rows, Matrix start, const LloydOptions& options, const Run& run);

}  // namespace shoal
