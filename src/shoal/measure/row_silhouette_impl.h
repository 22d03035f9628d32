#pragma once

#include <span>
#include <vector>

#include "shoal/core/labels.h"
#include "shoal/measure/separation.h"

namespace shoal {

/// One row's silhouette while clusters join.
class RowSilhouette {
 public:
  /// totals[c]: sum of the row's distances to the rows of c, overwritten as clusters join.
  RowSilhouette(std::span<double> totals, const std::vector<Index>& sizes, Label own);

  double value() const;
  /// Cluster join.from becomes part of join.into, which then has size rows.
  void join(Join join, Index size);

 private:
  void find_nearest();

  std::span<double> totals_;
  std::vector<double> means_;  // distance to each cluster; infinite for the own one and those that are gone
  Index own_, own_size_, nearest_ = 0;
};

}  // namespace shoal
