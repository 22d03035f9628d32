#pragma once

#include <vector>

#include "shoal/core/matrix.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"

namespace shoal {

class ArchiveWriter;
class ArchiveReader;

/// What stands between vectors and a rule: max(0, weight x + bias), or nothing at all.
struct HiddenLayer {
  Matrix weight;            ///< width x d; empty: rows go through as they are
  std::vector<float> bias;  ///< width

  bool empty() const { return weight.rows() == 0; }
  /// rows x width, of no known space; without a layer the rows themselves. O(rows d width).
  Rows apply(const Rows& x, const Run& run) const;

  void save(ArchiveWriter& out) const;
  static HiddenLayer load(
      const ArchiveReader& in);  ///< Error(format) if it is damaged; none if none is there
};

}  // namespace shoal
