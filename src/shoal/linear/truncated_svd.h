#pragma once

#include <cstdint>
#include <vector>

#include "shoal/core/matrix.h"
#include "shoal/core/random.h"
#include "shoal/core/run.h"

namespace shoal {

/// A matrix of which most entries are 0: row i has values[starts[i]..starts[i + 1]) in the columns of the
/// same places, each below `cols`.
struct SparseRows {
  Index cols = 0;
  std::vector<Index> starts{0};
  std::vector<std::uint32_t> columns;
  std::vector<float> values;

  Index rows() const { return starts.size() - 1; }
};

struct TruncatedSvd {
  Matrix components;                    ///< cols x k: columns are right singular vectors, of length 1
  std::vector<double> singular_values;  ///< k, descending
};

/// The k largest singular values and their right vectors: of x ~ U S V^T the V and S. At most min(k, rank) of
/// them: what is below a thousandth of the largest counts as 0. Up to 512 columns exact; else by subspace
/// iteration from k + 64 random directions, 8 times (Halko, Martinsson, Tropp
/// 2011): the wanted values come out to a few digits more than they decay. The sign of a vector is fixed: its
/// entry of largest magnitude (first of equals) is positive. O(entries (k + 64)), memory 8 cols (k + 64)
/// bytes; the same bits for any number of threads. Error(argument) if k is 0, or an entry lies in no column;
/// Error(data) if a value is not finite. Step "svd".
TruncatedSvd truncated_svd(const SparseRows& x, Index k, Seed seed, const Run& run);

}  // namespace shoal
