#pragma once

#include <functional>

#include "shoal/cluster/som/som_grid_impl.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"
#include "shoal/linear/product.h"

namespace shoal {

/// Rows as a map compares them, and which of them do not count.
struct SomRows {
  Rows rows;                        ///< of length 1 under cosine; minus `mean`
  std::function<bool(Index)> zero;  ///< has the row no direction?
};
/// mean: cols long, or empty for none. Error(data) naming the first row with a NaN or infinity.
SomRows som_rows(const Rows& x, Metric metric, const std::vector<float>& mean, const Run& run);

/// The codebook after options.n_epochs epochs, in the space of x.rows. Progress as step "map".
Matrix train_som(const SomRows& x, const SomOptions& options, const Run& run);

/// Products with all units, minus half their squared length: the greatest is the nearest unit's.
class SomMatcher {
 public:
  explicit SomMatcher(const Matrix& codebook);
  /// Calls each(row, values of all units) for rows [first, last), row by row, in this thread.
  void match(const SomRows& x, Index first, Index last,
             const std::function<void(Index, std::span<const float> row, std::span<const float> values)>&
                 each) const;

 private:
  Packed packed_;
  std::vector<float> bias_;
};

}  // namespace shoal
