#pragma once

#include "shoal/core/labels.h"
#include "shoal/core/metric.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"

namespace shoal {

/// The k nearest other rows of every row, exactly, self excluded.
/// cosine: distance 1 - cos, in [0, 2]; zero rows are at distance 1 from all. euclidean: in the rows' units.
/// Equal rows are at distance exactly 0 (but for zero rows under cosine). Ranked by products in float32:
/// rows whose (squared) distances differ by less than the rounding of products may swap places at rank k:
/// that is at most about d * 2.4e-7, and mostly far less, of the largest squared length of a row (1 under
/// cosine, from the mean under euclidean). n^2 / 2 products of d numbers: they are symmetric and done once.
/// 16 bytes times n k, and a float32 copy of the rows unless they are float32 of length 1 and compared by
/// cosine. Progress as step "neighbours". Error(argument) unless 1 <= k < rows, Error(data) for NaN and
/// infinities.
Neighbours nearest_neighbours(const Rows& x, Index k, Metric metric, const Run& run);

/// The k nearest rows of `x` to each query, best first, with the same distances. O(queries * rows * d).
/// Progress as step "neighbours", in queries.
/// Error(argument) unless 1 <= k <= rows and both have as many columns; Error(data) for NaN and infinities,
/// and unless one model made both (Space).
Neighbours nearest(const Rows& x, const Rows& queries, Index k, Metric metric, const Run& run);

}  // namespace shoal
